"""Sparse coding as a model: a dictionary of atoms, and codes that are found, not computed, by proximal steps.

    h(x) = argmin_h 1/2 |x - h D|^2 + penalty |h|_1,    x' = h(x) D
    A <- memory A + sum_i h_i^T h_i,   B <- memory B + sum_i h_i^T x_i,   then one pass over the atoms

The dictionary learns online: what earlier batches said fades with `memory`. Atoms stay within the unit ball, or codes
would shrink and atoms grow without end.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_course.core.model import Endpoint, Model
from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import require_features, require_one_of, require_positive_int, require_rank
from keras_course.ops.sparse_coding import dictionary_update, sparse_codes, sparse_coding_cost

__all__ = ["SparseCoding"]


@register("SparseCoding")
class SparseCoding(Model):
    """A dictionary of K atoms, trained so that few of them make each x.

    min over D and codes:  mean_i 1/2 |x_i - h_i D|^2 + penalty |h_i|_1,   |d_k| <= 1

    `model(x)` and `predict` reconstruct; `encode` finds codes, with exact zeros. `compile()` needs no arguments: a step
    is codes by FISTA, then one pass over the atoms in closed form. Metrics: `cost`, the mean of what is minimised;
    `reconstruction_error`, the mean over samples and features of (x - x')^2; `share_at_work`, of codes that are not 0.

    Endpoints: serving_default and reconstruct (x), encode (x), decode (z).

    Args:
        atoms: int, K; more than features for an overcomplete dictionary.
        features: int.
        penalty: float >= 0, lambda.
        steps: int, proximal steps to a code.
        method: "fista" or "ista".
        memory: float in [0, 1), how much earlier batches count at each step.
        seed: int, of the first atoms, random directions of length 1.
        **kwargs: as keras.Model.

    Input shape:
        (B, features), best with mean 0.

    Output shape:
        (B, features).

    Raises:
        ValueError: for sizes below 1, a negative penalty, a memory outside [0, 1), or an optimizer in `compile`.

    Example:
        >>> model = SparseCoding(6, 4, penalty=0.1)
        >>> tuple(model.encode(ops.ones((3, 4))).shape), tuple(model(ops.ones((3, 4))).shape)
        ((3, 6), (3, 4))

    Source: R (sparse coding); Olshausen and Field 1996; Mairal et al. 2010.
    """

    def __init__(
        self,
        atoms: int,
        features: int,
        penalty: float = 0.1,
        steps: int = 50,
        method: str = "fista",
        memory: float = 0.95,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        require_positive_int("SparseCoding", atoms=atoms, features=features, steps=steps)
        require_one_of("SparseCoding", ("fista", "ista"), method=method)
        if not 0 <= penalty < float("inf"):
            raise ValueError(f"SparseCoding needs a finite penalty >= 0. Received: penalty={penalty!r}")
        if not 0 <= memory < 1:
            raise ValueError(f"SparseCoding needs a memory in [0, 1). Received: memory={memory!r}")
        self.count, self.features, self.steps, self.method = atoms, features, steps, method
        self.penalty, self.memory = float(penalty), float(memory)
        fixed = {"trainable": False, "aggregation": "only_first_replica"}
        self.atoms = self.add_weight(shape=(atoms, features), initializer="zeros", name="atoms", **fixed)
        start = keras.initializers.RandomNormal(seed=derive_seed(seed, "atoms"))((atoms, features))
        self.atoms.assign(start / ops.norm(start, axis=1, keepdims=True))
        self.products = self.add_weight(shape=(atoms, atoms), initializer="zeros", name="products", **fixed)
        self.sums = self.add_weight(shape=(atoms, features), initializer="zeros", name="sums", **fixed)
        self.means = [keras.metrics.Mean(name=name) for name in ("cost", "reconstruction_error", "share_at_work")]
        self.build((None, features))

    def build(self, input_shape: Any = None) -> None:
        self.built = True

    def call(self, inputs: Any) -> Any:
        return self.decode(self.encode(inputs))

    def encode(self, x: Any) -> Any:
        """h(x), (B, atoms)."""
        require_rank("SparseCoding", x.shape, 2)
        require_features("SparseCoding", x.shape, self.features)
        x = ops.cast(x, self.variable_dtype)
        return sparse_codes(x, ops.convert_to_tensor(self.atoms), self.penalty, self.steps, self.method)

    def decode(self, z: Any) -> Any:
        """h D, (B, features)."""
        return ops.matmul(ops.cast(z, self.variable_dtype), self.atoms)

    def train_step(self, data: Any) -> Any:
        x, _, weight = keras.utils.unpack_x_y_sample_weight(data)
        x = ops.cast(x, self.variable_dtype)

        codes = self.encode(x)
        weighted = codes if weight is None else codes * ops.reshape(ops.cast(weight, codes.dtype), (-1, 1))
        found = [ops.matmul(ops.transpose(weighted), codes), ops.matmul(ops.transpose(weighted), x)]
        self._measure(x, codes, weight)

        self.products.assign(self.memory * self.products + self._over_replicas(found[0]))
        self.sums.assign(self.memory * self.sums + self._over_replicas(found[1]))
        self.atoms.assign(dictionary_update(self.atoms, self.products, self.sums))

        return self.get_metrics_result()

    @staticmethod
    def _over_replicas(tensor: Any) -> Any:
        context = tf.distribute.get_replica_context()
        if context is None or context.num_replicas_in_sync == 1:
            return tensor
        return context.all_reduce(tf.distribute.ReduceOp.SUM, tensor)

    def _measure(self, x: Any, codes: Any, weight: Any) -> None:
        atoms = ops.convert_to_tensor(self.atoms)
        values = (
            sparse_coding_cost(x, codes, atoms, self.penalty),
            ops.mean(ops.square(x - ops.matmul(codes, atoms)), axis=-1),
            ops.mean(ops.cast(codes != 0, codes.dtype), axis=-1),
        )
        for metric, value in zip(self.means, values, strict=True):
            metric.update_state(value, weight)

    def test_step(self, data: Any) -> Any:
        x, _, weight = keras.utils.unpack_x_y_sample_weight(data)
        x = ops.cast(x, self.variable_dtype)
        self._measure(x, self.encode(x), weight)
        return self.get_metrics_result()

    @property
    def metrics(self) -> list[Any]:
        return list(self.means)

    def compile(self, optimizer: Any = None, loss: Any = None, **kwargs: Any) -> None:
        """As keras.Model.compile, without optimizer and loss."""
        if optimizer is not None or loss is not None:
            raise ValueError(
                "SparseCoding learns by its own closed form and takes no optimizer and no loss. "
                f"Received: optimizer={optimizer!r}, loss={loss!r}"
            )
        super().compile(optimizer=None, loss=None, **kwargs)

    def endpoints(self) -> dict[str, Endpoint]:
        x = keras.InputSpec(shape=(None, self.features), dtype=self.input_dtype, name="x")
        z = keras.InputSpec(shape=(None, self.count), dtype=self.variable_dtype, name="z")
        return {
            "serving_default": (self.call, [x]),
            "reconstruct": (self.call, [x]),
            "encode": (self.encode, [x]),
            "decode": (self.decode, [z]),
        }

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "atoms": self.count,
            "features": self.features,
            "penalty": self.penalty,
            "steps": self.steps,
            "method": self.method,
            "memory": self.memory,
        }
