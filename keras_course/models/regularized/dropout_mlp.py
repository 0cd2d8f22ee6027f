"""A network with dropout, and the ensemble of all its sub-networks.

training:           one sub-network mu for each example and step, drawn by P(mu_i = 1) = 1 - rate
probabilities:      the whole network with its units scaled, one forward pass (weight scaling)
mask_averaged:      1/M sum_m p(y | x, mu_m)           M masks drawn: 10 to 20 are often enough
geometric_mean:     softmax(1/M sum_m log p(y | x, mu_m))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_course.core.model import Endpoint, Model
from keras_course.core.seeds import derive_seed, uniform_noise
from keras_course.core.serial import register
from keras_course.core.shapes import require_features, require_one_of, require_positive_int, require_rank
from keras_course.ops.dropout import (
    RULES,
    arithmetic_ensemble,
    drop_units,
    dropout_mask,
    expected_units,
    geometric_ensemble,
    require_rate,
)

__all__ = ["DropoutMLP"]


@register("DropoutMLP")
class DropoutMLP(Model):
    """A multilayer perceptron whose input and hidden units are dropped in training; `call` returns logits.

    h^(0) = mu^(0) x,   h^(l) = mu^(l) g(h^(l-1) W^(l) + b^(l)),   z = h^(L-1) W^(L) + b^(L)

    (mu scaled by the rule, see `ops.dropout`.) Masks are drawn from stateless seeds, (seed, layer, step): a resumed run
    draws what the uninterrupted one would have drawn, from whatever file it is resumed, and they are the same eagerly,
    as a graph and under XLA. Replicas whose shares of a batch are equal draw what one would have drawn. Without hidden
    layers this is softmax regression, and `geometric_mean` over all masks equals `probabilities` exactly.

    Args:
        features: int, number of inputs.
        units: sequence of ints, widths of all layers in order, the output layer last.
        input_rate: float in [0, 1), probability of dropping an input (the notes keep 0.8 of them).
        hidden_rate: float in [0, 1), probability of dropping a hidden unit (the notes keep 0.5).
        rule: "inverted" or "weight-scaling".
        activation: g, as Keras takes it.
        seed: int, root of the initial weights and of the masks.
        **kwargs: as keras.Model.

    Input shape:
        (B, features).

    Output shape:
        (B, units[-1]), logits.

    Raises:
        ValueError: for no layers, widths below 1, fewer than 2 classes, a rate outside [0, 1), an unknown rule, or a
            shape that does not fit.

    Example:
        >>> model = DropoutMLP(4, (8, 3), seed=1)
        >>> x = ops.ones((2, 4))
        >>> tuple(model.mask_averaged(x, members=5).shape)
        (2, 3)
        >>> bool(ops.all(model(x, training=True) == model(x, training=True)))  # the same step, the same masks
        True

    Source: C 6.12.1, S 9.4; Srivastava et al. 2014.
    """

    def __init__(
        self,
        features: int,
        units: Sequence[int],
        input_rate: float = 0.2,
        hidden_rate: float = 0.5,
        rule: str = "inverted",
        activation: Any = "relu",
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        require_positive_int("DropoutMLP", features=features)
        if isinstance(units, int | str) or len(tuple(units)) == 0:
            raise ValueError(f"DropoutMLP needs a sequence of layer widths, output last. Received: units={units!r}")
        for width in units:
            require_positive_int("DropoutMLP", units=width)
        if tuple(units)[-1] < 2:
            raise ValueError(f"DropoutMLP needs at least 2 classes. Received: units={units!r}")
        require_rate("DropoutMLP", input_rate)
        require_rate("DropoutMLP", hidden_rate)
        require_one_of("DropoutMLP", RULES, rule=rule)
        self.features = features
        self.units = tuple(units)
        self.input_rate = input_rate
        self.hidden_rate = hidden_rate
        self.rule = rule
        self.activation = keras.activations.get(activation)
        self.dense = [
            keras.layers.Dense(
                width,
                activation=self.activation if level < len(self.units) else None,
                kernel_initializer=keras.initializers.GlorotUniform(seed=derive_seed(seed, "dense", level, "kernel")),
                dtype=self.dtype_policy,
                name=f"dense_{level}",
            )
            for level, width in enumerate(self.units, start=1)
        ]
        self.build((None, features))

    def build(self, input_shape: Any) -> None:
        self._require_input(input_shape)
        for layer, width in zip(self.dense, self.widths, strict=True):
            if not layer.built:
                layer.build((None, width))
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        self._require_input(inputs.shape)
        if not training:
            return self._forward(inputs, None)
        return self.logits_under(inputs, self.step_masks(ops.shape(inputs)[0]))

    @property
    def widths(self) -> tuple[int, ...]:
        """Numbers of units that may be dropped: inputs, then each hidden layer."""
        return (self.features, *self.units[:-1])

    @property
    def rates(self) -> tuple[float, ...]:
        """Probability of dropping, one for each of `widths`."""
        return (self.input_rate, *[self.hidden_rate] * (len(self.units) - 1))

    def logits_under(self, x: Any, masks: Sequence[Any]) -> Any:
        """The scores of sub-networks: log p(y | x, mu) up to a constant.

        Args:
            x: tensor or array (B, features).
            masks: sequence of truth values (B, width) or (1, width), one for each of `widths`.

        Returns:
            Tensor (B, classes).
        """
        return self._forward(ops.convert_to_tensor(x, dtype=self.compute_dtype), masks)

    def _forward(self, h: Any, masks: Sequence[Any] | None) -> Any:
        for level, layer in enumerate(self.dense):
            rate = self.rates[level]
            h = expected_units(h, rate, self.rule) if masks is None else drop_units(h, masks[level], rate, self.rule)
            h = layer(h)
        return h  # (B, classes)

    def step_masks(self, rows: Any) -> list[Any]:
        """The masks of this training step, one for each example: pure functions of (seed, layer, step, row).

        Args:
            rows: int or scalar tensor, examples of this replica's share of the batch.

        Returns:
            List of bool tensors (rows, width), one for each of `widths`.
        """
        seeds = [self.step_seed(f"mask_{level}") for level in range(len(self.widths))]
        first, total = self.share_of_batch(rows)
        return [mask[first : first + rows] for mask in self._masks(total, seeds)]

    def _masks(self, rows: Any, seeds: Sequence[Any]) -> list[Any]:
        draws = zip(self.widths, seeds, self.rates, strict=True)
        return [dropout_mask(uniform_noise((rows, width), seed), rate) for width, seed, rate in draws]

    def probabilities(self, x: Any) -> Any:
        """softmax of the whole network with scaled units: the weight scaling inference rule.

        Args:
            x: tensor or array (B, features).

        Returns:
            Tensor (B, classes).
        """
        return ops.softmax(self(x, training=False), axis=-1)

    def mask_averaged(self, x: Any, members: int = 20, seed: Any = (0, 0)) -> Any:
        """The arithmetic mean of the distributions of sub-networks that are drawn.

        Args:
            x: tensor or array (B, features).
            members: int >= 1, number of masks for each example.
            seed: two ints, or int32 tensor (2,): the same seed, the same masks.

        Returns:
            Tensor (B, classes).
        """
        return arithmetic_ensemble(ops.softmax(self._member_logits(x, members, seed), axis=-1))

    def geometric_mean(self, x: Any, members: int = 20, seed: Any = (0, 0)) -> Any:
        """The renormalized geometric mean of the same; arguments and result as `mask_averaged`."""
        return geometric_ensemble(ops.log_softmax(self._member_logits(x, members, seed), axis=-1))

    def _member_logits(self, x: Any, members: int, seed: Any) -> Any:
        require_positive_int("DropoutMLP", members=members)
        x = ops.convert_to_tensor(x, dtype=self.compute_dtype)
        self._require_input(x.shape)
        seed = ops.cast(ops.convert_to_tensor(seed), "int32")
        rows, levels = ops.shape(x)[0], len(self.widths)
        logits = []
        for member in range(members):
            numbers = [member * levels + level for level in range(levels)]
            seeds = [seed + ops.convert_to_tensor([number, 0], dtype="int32") for number in numbers]
            logits.append(self.logits_under(x, self._masks(rows, seeds)))
        return ops.stack(logits)  # (M, B, classes)

    def endpoints(self) -> dict[str, Endpoint]:
        """`serving_default` probabilities, `logits`, `mask_averaged` and `geometric_mean` over 20 masks from a seed."""
        points = keras.InputSpec(shape=(None, self.features), dtype=self.input_dtype, name="x")
        seed = keras.InputSpec(shape=(2,), dtype="int32", name="seed")
        return {
            "serving_default": (self.probabilities, [points]),
            "logits": (lambda x: self(x, training=False), [points]),
            "mask_averaged": (lambda x, seed: self.mask_averaged(x, 20, seed), [points, seed]),
            "geometric_mean": (lambda x, seed: self.geometric_mean(x, 20, seed), [points, seed]),
        }

    def _require_input(self, shape: Any) -> None:
        require_rank("DropoutMLP", shape, 2)
        require_features("DropoutMLP", shape, self.features)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (input_shape[0], self.units[-1])

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "features": self.features,
            "units": list(self.units),
            "input_rate": self.input_rate,
            "hidden_rate": self.hidden_rate,
            "rule": self.rule,
            "activation": keras.activations.serialize(self.activation),
        }
