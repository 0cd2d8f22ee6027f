"""Several tasks solved at once by one shared trunk: what one task's labels teach, the others can use.

    h = trunk(x),   f_t = head_t(h)                                       a head for each task t
    J = 1/N sum_i sum_t  weight_t  known_it  cost_t(y_it, f_t(x_i))       known_it = 0 where the label is missing

A missing label adds nothing to the cost and so moves neither head nor trunk. N counts all rows, labelled or not, as
with Keras's sample weights of 0: a task with few labels pulls less on the trunk unless its weight says otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from keras_course.core.model import Endpoint, Model
from keras_course.core.serial import register
from keras_course.core.shapes import require_positive_int, require_rank
from keras_course.layers.sub_networks import require_shape, restored, sub_network, told
from keras_course.losses.softmax import SoftmaxLoss

__all__ = ["MultiTask"]


@register("MultiTask")
class MultiTask(Model):
    """A shared trunk under one head for each task; `call` returns {task: output of its head}.

    J = 1/N sum_i sum_t weight_t known_it cost_t(y_it, head_t(trunk(x_i)))

    `compile()` takes an optimizer, no loss. Targets are a matrix, one column a task in the order of `heads`; an entry
    that equals `missing`, or is NaN, is a label nobody gave. `fit` and `evaluate` report J, and for each task
    `<task>_loss` and, where its cost is `SoftmaxLoss`, `<task>_accuracy`: means over the rows labelled for that task (0
    while there is none).

    Args:
        shape: int or tuple of ints, the shape of one x.
        trunk: Keras layer or model (B, *shape) -> (B, ...), or widths of dense layers.
        heads: {task: head}, a Keras layer or model on top of the trunk, or an int, the outputs of a dense layer.
        costs: {task: keras.losses.Loss with one number a row}; tasks left out take `SoftmaxLoss`. Their reduction is
            not used.
        weights: {task: float >= 0}; tasks left out weigh 1.
        missing: number that stands for a missing label.
        activation: of the trunk's dense layers.
        seed: int, root of the initial weights.
        **kwargs: as keras.Model.

    Input shape:
        (B, *shape).

    Output shape:
        {task: (B, ...)}.

    Raises:
        ValueError: for no task, a cost or weight of no task, a negative weight, wrong shapes, or a loss in `compile`.

    Example:
        >>> model = MultiTask(3, (8,), {"digit": 10, "parity": 2}, weights={"parity": 0.5})
        >>> model.compile("sgd")
        >>> y = ops.array([[7, 1], [4, -1]])  # nobody said whether the second is odd
        >>> sorted(model.evaluate(ops.ones((2, 3)), y, verbose=0, return_dict=True))
        ['digit_accuracy', 'digit_loss', 'loss', 'parity_accuracy', 'parity_loss']

    Source: C 6.7; Caruana 1997.
    """

    def __init__(
        self,
        shape: Any,
        trunk: Any,
        heads: Mapping[str, Any],
        costs: Mapping[str, Any] | None = None,
        weights: Mapping[str, float] | None = None,
        missing: float = -1.0,
        activation: Any = "relu",
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.event_shape = require_shape("MultiTask", shape)
        if not isinstance(heads, Mapping) or not heads:
            raise ValueError(f"MultiTask needs a table of at least one task and its head. Received: heads={heads!r}")
        self.tasks = tuple(heads)
        for name, table in (("costs", costs), ("weights", weights)):
            unknown = sorted(set(table or {}) - set(self.tasks))
            if unknown:
                raise ValueError(f"MultiTask has the tasks {', '.join(self.tasks)}. Received: {name} of {unknown}")
        self.weight_of = {task: float((weights or {}).get(task, 1.0)) for task in self.tasks}
        for task, weight in self.weight_of.items():
            if not 0 <= weight < math.inf:
                raise ValueError(f"MultiTask needs finite weights >= 0. Received: weights[{task!r}]={weight!r}")
        self.missing = float(missing)
        self.activation = keras.activations.get(activation)
        self.given = {"trunk": told(trunk), "heads": {task: told(head) for task, head in heads.items()}}
        self.trunk = sub_network("MultiTask", "trunk", trunk, self.activation, seed, self.dtype_policy)
        self.heads = {task: self._head(task, head) for task, head in heads.items()}
        self.costs = {task: keras.losses.get((costs or {}).get(task)) or SoftmaxLoss() for task in self.tasks}
        self.loss_means = {task: keras.metrics.Mean(name=f"{task}_loss") for task in self.tasks}
        self.accuracy_means = {
            task: keras.metrics.Mean(name=f"{task}_accuracy")
            for task, cost in self.costs.items()
            if isinstance(cost, SoftmaxLoss)
        }
        self.build((None, *self.event_shape))

    def _head(self, task: str, head: Any) -> Any:
        if isinstance(head, keras.layers.Layer):
            return head
        require_positive_int("MultiTask", **{f"heads[{task!r}]": head})
        return sub_network("MultiTask", f"head_{task}", (), None, self.seed, self.dtype_policy, output=head)

    def build(self, input_shape: Any) -> None:
        self.call(keras.KerasTensor((None, *self.event_shape), dtype=self.compute_dtype))
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        features = self.features(inputs, training)
        return {task: self.heads[task](features, training=training) for task in self.tasks}

    def features(self, x: Any, training: bool | None = False) -> Any:
        """What all tasks share: the trunk's output (B, ...)."""
        if tuple(x.shape)[1:] != self.event_shape:
            require_rank("MultiTask", x.shape, len(self.event_shape) + 1)
            raise ValueError(f"MultiTask expects x of shape (B, {self.event_shape}). Received: {tuple(x.shape)}")
        return self.trunk(x, training=training)

    def predictions(self, x: Any) -> Any:
        """{task: class probabilities}, the head's output where the cost is no `SoftmaxLoss`."""
        outputs = self(x, training=False)
        return {
            task: ops.softmax(output, axis=-1) if task in self.accuracy_means else output
            for task, output in outputs.items()
        }

    def compile(self, optimizer: Any = "adam", loss: Any = None, **kwargs: Any) -> None:
        if loss is not None:
            raise ValueError(f"MultiTask brings its own losses, one a head: costs={{...}}. Received: loss={loss!r}")
        super().compile(optimizer=optimizer, **kwargs)

    def task_costs(self, y: Any, outputs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """What each row costs each task, and whether it does.

        Args:
            y: tensor (B, tasks), `missing` or NaN where there is no label.
            outputs: {task: tensor (B, ...)}, as `call` returns.

        Returns:
            Tuple of {task: costs (B,)}, 0 where the label is missing, and {task: 1.0 or 0.0 (B,)}, known or not.
        """
        if y is None or len(y.shape) != 2 or y.shape[1] != len(self.tasks):
            came = None if y is None else tuple(y.shape)
            raise ValueError(f"MultiTask needs y of shape (B, {len(self.tasks)}), a column a task. Received: {came}")
        costs, known = {}, {}
        for column, task in enumerate(self.tasks):
            label = y[:, column]
            given = ops.logical_and(ops.cast(label, "float32") != self.missing, label == label)  # (B,)
            safe = ops.where(given, label, ops.zeros_like(label))[:, None]  # the cost of any label at all is finite
            cost = self.costs[task].call(safe, outputs[task])
            cost = ops.reshape(ops.where(given, ops.reshape(cost, (-1,)), 0.0), (-1,))
            costs[task], known[task] = cost, ops.cast(given, cost.dtype)
        return costs, known

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        costs, known = self.task_costs(y, y_pred)

        total: Any = 0.0
        for column, task in enumerate(self.tasks):
            counted = known[task]
            if sample_weight is not None:
                counted = counted * ops.cast(sample_weight, counted.dtype)
            total = total + self.weight_of[task] * costs[task] * counted  # (B,)

            self.loss_means[task].update_state(costs[task], counted)
            if task in self.accuracy_means:
                right = ops.cast(ops.argmax(y_pred[task], -1), "float32") == ops.cast(y[:, column], "float32")
                self.accuracy_means[task].update_state(right, counted)
        return self.mean_over_rows(total) + sum(self._aggregate_additional_loss(penalty) for penalty in self.losses)

    def endpoints(self) -> dict[str, Endpoint]:
        """`serving_default` predictions of all tasks, `outputs` of the heads, `features` of the trunk."""
        points = keras.InputSpec(shape=(None, *self.event_shape), dtype=self.input_dtype, name="x")
        return {
            "serving_default": (self.predictions, [points]),
            "outputs": (lambda x: self(x, training=False), [points]),
            "features": (self.features, [points]),
        }

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "shape": list(self.event_shape),
            "trunk": self.given["trunk"],
            "heads": [[task, self.given["heads"][task]] for task in self.tasks],  # a list keeps the order of columns
            "costs": {task: serialize(cost) for task, cost in self.costs.items()},
            "weights": dict(self.weight_of),
            "missing": self.missing,
            "activation": keras.activations.serialize(self.activation),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MultiTask:
        config = dict(config)
        config["trunk"] = restored(config["trunk"])
        config["heads"] = {task: restored(head) for task, head in config["heads"]}
        config["costs"] = {task: restored(cost) for task, cost in config["costs"].items()}
        return cls(**config)
