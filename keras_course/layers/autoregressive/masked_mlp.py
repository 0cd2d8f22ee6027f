"""A network of masked dense layers: D variables in, P numbers for each of them out, that depend on earlier ones alone.

h_1 = act(x (W_1 * M_1) + c V + b_1),   h_l = act(h_{l-1} (W_l * M_l) + b_l)
o   = h_L (W * M) + x (A * M_A) + b          A: the direct connections, where asked for
o[d] depends on x[e] only if e comes before d in the order; on the condition c always

Conventions that bite. Output p of variable d is column p D + d of the last kernel (all first numbers, then all second
ones), while `call` returns (..., D, P). Degrees of hidden units start at 0 where there is a condition, so that the
first variable depends on it through hidden units too.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import require_features, require_one_of, require_positive_int
from keras_course.initializers.seeding import seeded
from keras_course.layers.autoregressive.masked_dense import MaskedDense
from keras_course.ops.autoregressive_masks import even_degrees, order_degrees, random_degrees

__all__ = ["MaskedMLP"]

ORDERS = ("forward", "backward", "random")


@register("MaskedMLP")
class MaskedMLP(keras.layers.Layer):
    """What conditions each variable of x on those before it, for all variables in one pass.

    o[d] = f_d(x[variables before d], c),   (P,) numbers each

    A bank of K mask sets cuts the same kernels in K ways: other degrees of the hidden units, and with order="random"
    another order of the variables each. `which` picks one; a vector (S,) of numbers answers for S sets at once.

    Args:
        features: int D.
        outputs: int P, numbers a variable.
        inputs: int I, numbers that tell the network one variable: I for a class out of I as zeros and a one.
        units: ints, widths of the hidden layers; () for direct connections alone.
        condition: int C, width of a condition, 0 for none.
        order: "forward" (variable 0 first), "backward", "random", or the variables, first to last.
        degrees: of hidden units: "even" spreads them, "random" draws them.
        masks: int K, mask sets.
        direct: bool, whether inputs reach the outputs past the hidden layers too; always so without hidden layers.
        activation: of the hidden layers.
        kernel_initializer, output_kernel_initializer: of the hidden layers and of what reaches the outputs; drawn by
            the seed if they draw at all.
        seed: int, root of degrees, orders and kernels.
        **kwargs: as keras.layers.Layer.

    Call arguments:
        inputs: tensor (..., D I), variable by variable.
        condition: tensor (..., C), or None.
        which: int, scalar or (S,) integer tensor; then inputs are (S or 1, B, D I).

    Output shape:
        (..., D, P).

    Raises:
        ValueError: for sizes below 1, an order that is no permutation, several mask sets that are all alike, or inputs
            of another width.

    Example:
        >>> network = MaskedMLP(features=3, outputs=2, units=(8,), order="backward")
        >>> tuple(network(ops.ones((5, 3))).shape), network.input_degrees.tolist()
        ((5, 3, 2), [[3, 2, 1]])

    Source: R; Germain et al. 2015.
    """

    def __init__(
        self,
        features: int,
        outputs: int = 1,
        units: Any = (64,),
        condition: int = 0,
        order: Any = "forward",
        degrees: str = "even",
        masks: int = 1,
        direct: bool = False,
        activation: Any = "relu",
        kernel_initializer: Any = "glorot_uniform",
        output_kernel_initializer: Any = "glorot_uniform",
        inputs: int = 1,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        units = (units,) if isinstance(units, int) else tuple(units)
        widths = {f"units[{level}]": width for level, width in enumerate(units)}
        conditions = {"condition": condition} if condition else {}
        require_positive_int(
            "MaskedMLP", features=features, outputs=outputs, masks=masks, inputs=inputs, **widths, **conditions
        )
        require_one_of("MaskedMLP", ("even", "random"), degrees=degrees)
        self.features, self.outputs, self.units = int(features), int(outputs), tuple(int(width) for width in units)
        self.condition, self.masks, self.degrees = int(condition), int(masks), degrees
        self.order = order if isinstance(order, str) else [int(variable) for variable in order]
        self.direct, self.inputs_each = bool(direct), int(inputs)
        self.activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.output_kernel_initializer = keras.initializers.get(output_kernel_initializer)
        self.seed = seed
        if self.masks > 1 and self.order != "random" and (degrees != "random" or not units):
            raise ValueError(
                "MaskedMLP needs order='random', or degrees='random' of hidden units, for several mask sets. Received: "
                f"masks={masks}, order={order!r}, degrees={degrees!r}, units={units}"
            )
        self.input_degrees = self._input_degrees()  # (K, D)
        self.hidden, self.to_outputs, self.past_hidden = self._dense_layers()

    def _uniform(self, length: int, *path: object) -> np.ndarray:
        return np.random.Generator(np.random.Philox(derive_seed(self.seed, *path))).random(length)

    def _input_degrees(self) -> np.ndarray:
        if self.order == "random":
            orders = [np.argsort(self._uniform(self.features, "order", k)) for k in range(self.masks)]
        else:
            named = {"forward": range(self.features), "backward": range(self.features)[::-1]}
            order = named.get(self.order, ()) if isinstance(self.order, str) else self.order
            if sorted(order) != list(range(self.features)):
                raise ValueError(
                    f"MaskedMLP takes one of {ORDERS}, or a permutation of 0 ... {self.features - 1}, as order. "
                    f"Received: order={self.order!r}"
                )
            orders = [np.array(order)] * self.masks
        return np.stack([ops.convert_to_numpy(order_degrees(order)) for order in orders])

    def _hidden_degrees(self) -> list[np.ndarray]:
        """Degrees of each hidden layer, (K, H) each."""
        sets = []
        for k in range(self.masks):
            lowest, layers = 0 if self.condition or self.features == 1 else 1, []
            for level, width in enumerate(self.units):
                if self.degrees == "even":
                    drawn = even_degrees(width, self.features, lowest)
                else:
                    drawn = random_degrees(self._uniform(width, "degrees", k, level), self.features, lowest)
                layers.append(ops.convert_to_numpy(drawn))
                lowest = max(lowest, int(layers[-1].min())) if self.degrees == "random" else lowest
            sets.append(layers)
        return [np.stack(layers) for layers in zip(*sets, strict=True)]

    def _dense_layers(self) -> tuple[list[MaskedDense], MaskedDense, MaskedDense | None]:
        told = below = np.repeat(self.input_degrees, self.inputs_each, axis=-1)  # (K, D I)
        hidden: list[MaskedDense] = []
        for level, degrees in enumerate(self._hidden_degrees()):
            hidden.append(
                MaskedDense(
                    below, degrees, activation=self.activation, dtype=self.dtype_policy, name=f"hidden_{level}",
                    kernel_initializer=seeded(self.kernel_initializer, self.seed, "hidden", level),
                )
            )  # fmt: skip
            below = degrees
        ends = np.tile(self.input_degrees, (1, self.outputs))  # (K, P D)

        def into_outputs(degrees: np.ndarray, name: str, use_bias: bool) -> MaskedDense:
            start = seeded(self.output_kernel_initializer, self.seed, name)
            return MaskedDense(
                degrees, ends, strict=True, use_bias=use_bias, kernel_initializer=start, dtype=self.dtype_policy,
                name=name,
            )  # fmt: skip

        past = into_outputs(told, "past_hidden", False) if self.direct and hidden else None
        return hidden, into_outputs(below, "to_outputs", True), past

    def build(self, inputs_shape: Any = None, condition_shape: Any = None) -> None:
        width = self.features * self.inputs_each
        if inputs_shape is not None:
            require_features("MaskedMLP", inputs_shape, width)
        if self.past_hidden is not None:
            self.past_hidden.build((None, width))
        for layer in (*self.hidden, self.to_outputs):
            layer.build((None, width))
            width = layer.units
        self.condition_kernel = None
        if self.condition:
            first = (*self.hidden, self.to_outputs)[0]
            self.condition_kernel = self.add_weight(
                name="condition_kernel", shape=(self.condition, first.units),
                initializer=seeded(self.kernel_initializer if self.hidden else self.output_kernel_initializer,
                                   self.seed, "condition"),
            )  # fmt: skip
        self.built = True

    def call(self, inputs: Any, condition: Any = None, which: Any = None) -> Any:
        return self.by_variable(self.respond(inputs, self.masked_kernels(which), condition))

    def masked_kernels(self, which: Any = None) -> list[Any]:
        """The kernels, cut: once for many calls of `respond`."""
        layers = (*self.hidden, self.to_outputs, *([] if self.past_hidden is None else [self.past_hidden]))
        return [layer.masked_kernel(which) for layer in layers]

    def respond(self, inputs: Any, kernels: list[Any], condition: Any = None) -> Any:
        """The outputs as the last layer makes them, (..., P D), column p D + d."""
        require_features("MaskedMLP", inputs.shape, self.features * self.inputs_each)
        inputs = ops.cast(inputs, self.compute_dtype)
        h, added = inputs, self._of_condition(condition)
        for layer, kernel in zip(self.hidden, kernels, strict=False):
            h, added = layer.respond(h, kernel, added), None
        if self.past_hidden is not None:
            added = ops.matmul(inputs, kernels[-1])
        return self.to_outputs.respond(h, kernels[len(self.hidden)], added)

    def _of_condition(self, condition: Any) -> Any:
        if (condition is None) != (self.condition == 0):
            raise ValueError(
                f"MaskedMLP was made for a condition of width {self.condition}. Received: condition="
                f"{None if condition is None else tuple(condition.shape)}"
            )
        if condition is None:
            return None
        require_features("MaskedMLP's condition", condition.shape, self.condition)
        return ops.matmul(ops.cast(condition, self.compute_dtype), ops.convert_to_tensor(self.condition_kernel))

    def by_variable(self, outputs: Any) -> Any:
        """(..., P D) as (..., D, P)."""
        parts = ops.reshape(outputs, (*ops.shape(outputs)[:-1], self.outputs, self.features))
        return ops.swapaxes(parts, -1, -2)

    def compute_output_shape(self, inputs_shape: Any, condition_shape: Any = None) -> Any:
        return (*inputs_shape[:-1], self.features, self.outputs)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "features": self.features,
            "outputs": self.outputs,
            "units": list(self.units),
            "condition": self.condition,
            "order": self.order,
            "degrees": self.degrees,
            "masks": self.masks,
            "direct": self.direct,
            "inputs": self.inputs_each,
            "activation": keras.activations.serialize(self.activation),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "output_kernel_initializer": keras.initializers.serialize(self.output_kernel_initializer),
            "seed": self.seed,
        }
