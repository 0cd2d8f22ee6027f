"""What a reservoir's model needs to learn its read-out in closed form, from sums over everything it has seen.

    z = [1, s_t],   M += sum_t w_t z_t^T [z_t, y_t]          every step, summed over the replicas
    W = (S_ss / n - m m^T + ridge I)^-1 (S_sy / n - m mean(y)^T),   c = mean(y) - m W,   m = mean of s

So the read-out after any number of batches is the ridge regression on all their rows, whatever the batch size, the
order and the number of replicas, and a series too long for memory is learned a chunk at a time. The sums are variables
in float64: a run killed and resumed from its checkpoint ends where it would have ended.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.core.errors import InvalidDataError
from keras_course.core.shapes import require_rank

__all__ = ["RidgeReadOut"]


class RidgeReadOut:
    """Mixed into a `core.model.Model` (before it) that writes `features(x, y)`; gives it train_step, test_step, fit.

    The penalty is a row's: `ridge` times the number of rows is the alpha of scikit-learn's Ridge and of reservoirpy's.
    The same rows seen twice leave the read-out as it is. `fit` goes on from what was seen; `forget` begins anew.
    """

    def add_read_out(self, width: int, outputs: int, ridge: float, washout: int) -> None:
        """Creates the read-out and its sums; call it in `__init__`.

        Args:
            width: int, size S of the features that are read.
            outputs: int, O.
            ridge: float > 0, penalty a row.
            washout: int >= 0, first steps of every sequence that are neither learned from nor measured.
        """
        who = type(self).__name__
        if not (ridge > 0 and np.isfinite(ridge)):
            raise ValueError(f"{who} needs a positive ridge. Received: ridge={ridge}")
        if isinstance(washout, bool) or not isinstance(washout, int) or washout < 0:
            raise ValueError(f"{who} needs an integer washout >= 0. Received: washout={washout!r}")
        self.ridge, self.washout, self.output_units = float(ridge), washout, int(outputs)
        fixed = {"initializer": "zeros", "aggregation": "only_first_replica"}
        self.read_out_kernel = self.add_weight(shape=(width, outputs), name="read_out_kernel", **fixed)
        self.read_out_bias = self.add_weight(shape=(outputs,), name="read_out_bias", **fixed)
        shape = (1 + width, 1 + width + outputs)
        self.sums = self.add_weight(shape=shape, dtype="float64", name="sums", trainable=False, autocast=False, **fixed)
        self.squared_error = keras.metrics.Mean(name="mean_squared_error", dtype=self.variable_dtype)

    def read(self, features: Any) -> Any:
        """o = s W + c: tensor (..., S) -> (..., O)."""
        width, outputs = self.read_out_kernel.shape
        flat = ops.matmul(ops.reshape(features, (-1, width)), ops.convert_to_tensor(self.read_out_kernel))
        flat = flat + ops.convert_to_tensor(self.read_out_bias)
        return ops.reshape(flat, (*ops.shape(features)[:-1], outputs))

    def absorb(self, features: Any, targets: Any, weight: Any = None) -> None:
        """Adds rows to the sums and solves for the read-out.

        Args:
            features: tensor (R, S).
            targets: tensor (R, O).
            weight: tensor (R,), or None for ones.
        """
        s, y = ops.cast(features, "float64"), ops.cast(targets, "float64")
        z = ops.concatenate([ops.ones_like(s[:, :1]), s], axis=1)  # (R, 1 + S)
        weighted = z if weight is None else z * ops.cast(weight, "float64")[:, None]
        found = ops.matmul(ops.transpose(weighted), ops.concatenate([z, y], axis=1))  # (1 + S, 1 + S + O)
        context = tf.distribute.get_replica_context()
        if context is not None and context.num_replicas_in_sync > 1:
            found = context.all_reduce(tf.distribute.ReduceOp.SUM, found)
        self.sums.assign_add(found)
        kernel, bias = self.solution(ops.convert_to_tensor(self.sums))
        self.read_out_kernel.assign(ops.cast(kernel, self.read_out_kernel.dtype))
        self.read_out_bias.assign(ops.cast(bias, self.read_out_bias.dtype))

    def solution(self, sums: Any) -> tuple[Any, Any]:
        """The read-out that belongs to the sums: kernel (S, O) and bias (O,), float64; zeros before the first row."""
        width = self.read_out_kernel.shape[0]
        rows = ops.maximum(sums[0, 0], 1e-300)
        means, second = sums[0, 1:] / rows, sums[1:, 1:] / rows
        second = second - means[:width, None] * means[None, :]
        penalised = second[:, :width] + self.ridge * ops.eye(width, dtype="float64")
        factor = tf.linalg.cholesky(penalised)
        kernel = tf.linalg.cholesky_solve(factor, second[:, width:])
        return kernel, means[width:] - ops.matmul(means[None, :width], kernel)[0]

    def forget(self) -> None:
        """Sets the sums to zero: what was seen so far does not count. The read-out stays until the next batch."""
        self.sums.assign(ops.zeros(self.sums.shape, "float64"))

    @property
    def rows_seen(self) -> float:
        """How many rows, by weight, the read-out rests on."""
        return float(np.asarray(self.sums)[0, 0])

    def compile(self, optimizer: Any = None, loss: Any = None, **kwargs: Any) -> None:
        """As keras.Model.compile, without optimizer and loss: the read-out is in closed form."""
        if optimizer is not None or loss is not None:
            raise ValueError(
                f"{type(self).__name__} learns in closed form and takes no optimizer and no loss. "
                f"Received: optimizer={optimizer!r}, loss={loss!r}"
            )
        super().compile(optimizer=None, loss=None, **kwargs)  # type: ignore[misc]

    def fit(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """As keras.Model.fit; one epoch is enough, more change nothing.

        Keras casts arrays to keras.config.floatx(): a model of dtype float64 sees float32 unless that is float64 too.
        """
        for name, array in (("x", x), ("y", y)):
            if isinstance(array, np.ndarray) and not np.isfinite(array).all():
                raise InvalidDataError(
                    f"{type(self).__name__} needs finite data. Received: NaN or infinite values in {name}"
                )
        return super().fit(x, y, *args, **kwargs)  # type: ignore[misc]

    def train_step(self, data: Any) -> Any:
        x, y, targets, weight = self.sequences_of(data)

        features = self.rows_of(self.features(x, targets, fast=True))
        rows, kept = self.flat(features), None if weight is None else ops.reshape(weight, (-1,))

        self.absorb(rows, self.flat(self.rows_of(targets)), kept)

        return self.count(x, y, targets, self.read(features), weight)

    def test_step(self, data: Any) -> Any:
        x, y, targets, weight = self.sequences_of(data)
        return self.count(x, y, targets, self.rows_of(self(x, training=False)), weight)

    def sequences_of(self, data: Any) -> Any:
        """x, y as it came, targets after the washout (B, T', O) or (B, O), and weights (B, T') or (B,), or None."""
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        if y is None:
            raise ValueError(f"{type(self).__name__} learns from targets. Received: y=None")
        x, targets = ops.cast(x, self.variable_dtype), ops.cast(y, self.variable_dtype)
        rank = 3 if self.reads_every_step else 2
        if self.output_units == 1 and len(targets.shape) == rank - 1:
            targets = targets[..., None]
        require_rank(type(self).__name__, targets.shape, rank)
        if self.reads_every_step and targets.shape[1] is not None and targets.shape[1] <= self.washout:
            raise ValueError(
                f"{type(self).__name__} leaves out the first {self.washout} steps, and nothing is left. "
                f"Received: targets of shape {tuple(targets.shape)}"
            )
        if weight is not None:
            weight = ops.cast(weight, self.variable_dtype)
            if self.reads_every_step:
                weight = weight if len(weight.shape) == 2 else ops.reshape(weight, (-1, 1))
                weight = weight * ops.ones_like(targets[:, :, 0])
                weight = weight[:, self.washout :]
            else:
                weight = ops.reshape(weight, (-1,))
        return x, y, targets, weight

    reads_every_step = True

    def rows_of(self, features: Any) -> Any:
        """What counts of a sequence: everything after the washout."""
        return features[:, self.washout :] if self.reads_every_step else features

    def flat(self, tensor: Any) -> Any:
        """(B, T', S) -> (B T', S)."""
        return ops.reshape(tensor, (-1, tensor.shape[-1]))

    def count(self, x: Any, y: Any, targets: Any, outputs: Any, weight: Any) -> Any:
        """Metrics over the rows that count."""
        self.squared_error.update_state(ops.mean((self.rows_of(targets) - outputs) ** 2, axis=-1), weight)
        like = y[:, self.washout :] if self.reads_every_step else y
        alone = self.output_units == 1 and len(like.shape) == len(outputs.shape) - 1
        shaped = outputs[..., 0] if alone else outputs
        return self.compute_metrics(x, like, shaped, weight)

    @property
    def metrics(self) -> list[Any]:
        return [metric for metric in super().metrics if metric.name != "loss"]  # type: ignore[misc]
