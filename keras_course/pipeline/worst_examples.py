"""The examples a model gets most wrong.

loss_i = loss(y_i, model(x_i)),   sorted
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.core.shapes import require_positive_int
from keras_course.pipeline.batches import in_order
from keras_course.pipeline.probe import is_taught, loss_of, require_loss

__all__ = ["WorstExample", "worst_examples"]


@dataclass(frozen=True)
class WorstExample:
    """An example with a large loss.

    Args:
        row: its row number.
        loss: its own loss.
        target: what it should be.
        output: what the model says (numpy), of itself: without the targets that it may be shown in training.

    Example:
        >>> WorstExample(row=3, loss=4.5, target=1, output=np.array([2.0, -2.0])).row
        3

    Source: C 9.1.6.
    """

    row: int
    loss: float
    target: Any
    output: Any


def worst_examples(model: Any, x: Any, y: Any, count: int = 12) -> tuple[WorstExample, ...]:
    """The examples with the largest loss, worst first: mislabelled data and blind spots gather here.

    loss_i = loss(y_i, model(x_i)), penalties apart

    Args:
        model: compiled Keras model with one loss.
        x: array (N, ...).
        y: array (N, ...).
        count: int >= 1.

    Returns:
        At most `count` `WorstExample`s.

    Raises:
        ValueError: for a count below 1, or a model without a loss.

    Example:
        >>> import keras
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
        >>> model.compile(loss="mse"); model.set_weights([np.ones((1, 1))])
        >>> x = np.array([[0.0], [1.0], [2.0]])
        >>> [(worst.row, worst.loss) for worst in worst_examples(model, x, np.zeros((3, 1)), count=2)]
        [(2, 4.0), (1, 1.0)]

    Source: C 9.1.6.
    """
    require_positive_int("worst_examples", count=count)
    require_loss(model)
    x = np.asarray(x)
    outputs = model.predict(in_order(x), verbose=0)

    def own_loss(one: Any, target: Any, output: Any) -> Any:
        penalties = ops.sum(ops.stack(model.losses)) if model.losses else 0.0
        if is_taught(model):
            return loss_of(model, one, target) - penalties
        return model.compute_loss(x=one, y=target, y_pred=output, training=False) - penalties

    compiled = tf.function(own_loss)
    rows = [(x[i : i + 1], y[i : i + 1], outputs[i : i + 1]) for i in range(len(outputs))]
    losses = np.array([float(compiled(*map(ops.convert_to_tensor, row))) for row in rows])
    order = np.argsort(-losses, kind="stable")[:count]
    return tuple(WorstExample(int(i), float(losses[i]), y[i], outputs[i]) for i in order)
