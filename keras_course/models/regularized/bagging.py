"""Bagging: many models, each trained on a bootstrap sample of the same data, that vote or are averaged."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_course.core.model import Model
from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import require_one_of
from keras_course.models.regularized.members import Ensemble
from keras_course.ops.ensembles import (
    COMBINATIONS,
    bootstrap_counts,
    ensemble_output,
    mistakes,
    out_of_bag_output,
    predicted_class,
)

__all__ = ["Bagging", "draw_bootstrap"]


def draw_bootstrap(rows: int, members: int, seed: int) -> np.ndarray:
    """How often each example stands in each member's sample: a pure function of (seed, member, rows).

    Args:
        rows: int, N examples.
        members: int, number of samples.
        seed: int.

    Returns:
        float32 array (N, members), columns that sum to N.

    Example:
        >>> draw_bootstrap(5, 2, seed=0).sum(axis=0).tolist()
        [5.0, 5.0]

    Source: C 6.12.
    """
    uniforms = np.empty((members, rows))
    for member in range(members):
        generator = np.random.Philox(key=derive_seed(seed, "bootstrap", member))
        uniforms[member] = (np.asarray(generator.random_raw(rows), "uint64") >> np.uint64(11)) * 2.0**-53
    return np.asarray(ops.convert_to_numpy(bootstrap_counts(uniforms)), "float32").T


@register("Bagging")
class Bagging(Ensemble, Model):
    """Members trained on bootstrap samples, combined by vote or average.

    1. sample m: N draws with replacement from the N examples; c_m(i) = how often example i was drawn
    2. member m learns from all N examples, example i weighted by c_m(i)
    3. a new x is answered by majority vote, by the average, or by the mean of the distributions

    One data set feeds all members: `fit` draws the counts for the arrays it is given and passes them as sample weights,
    a column a member. For a full batch that is exactly the gradient on the resampled set; a rule that goes through the
    examples one by one (the perceptron) presents an example once, with a step c times as long. Examples in a
    tf.data.Dataset have no number to draw by, so a dataset must bring the counts: (x, y, counts) with counts (B,
    members) from `bootstrap(N)`, in the order of x.

    Averaging lowers variance and leaves bias as it is; it fails where members are alike. What `fit` reports is measured
    on the training batch, after its step.

    Args:
        member: template of the members: a built Keras model of one input and one output, or its config.
        members: int, how many.
        combination: "vote" (of the members' classes), "average" (of their answers, for regression or logits), or
            "distribution" (members' answers are logits; the answer is the log of their mean distribution). The loss
            that is reported is the ensemble's own, by the loss of `compile`; without one, and for "vote", it is the
            share of mistakes.
        seed: int, root of the members' starts and of the bootstrap.
        **kwargs: as keras.Model.

    Input shape:
        The template's.

    Output shape:
        The template's. For "vote", shares of the members' votes in [0, 1] (for a single column, in [-1, 1]).

    Raises:
        ValueError: for a member that is no built Keras model, members < 1, an unknown combination, or data without
            counts.

    Example:
        >>> member = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model = Bagging(member, members=3, combination="average")
        >>> model.compile("sgd", "mse")
        >>> history = model.fit(np.ones((8, 2)), np.ones((8, 1)), epochs=2, verbose=0)
        >>> answer, left_out = model.out_of_bag(np.ones((8, 2)))
        >>> answer.shape, left_out.shape
        ((8, 1), (8,))

    Source: C 6.12; Breiman 1996.
    """

    def __init__(self, member: Any, members: int = 10, combination: str = "vote", seed: int = 0, **kwargs: Any) -> None:
        super().__init__(seed=seed, **kwargs)
        require_one_of("Bagging", COMBINATIONS, combination=combination)
        self.combination = combination
        self.make_members(member, members)
        self.build(self.input_spec_shape)

    def scores(self, outputs: Any) -> Any:
        """The ensemble's answer from its members', see `ops.ensembles.ensemble_output`."""
        return ensemble_output(outputs, self.combination)

    def own_loss(self, loss: Any) -> Any:
        return None if self.combination == "vote" else loss

    def bootstrap(self, rows: int) -> np.ndarray:
        """The counts that `fit` uses for so many examples.

        Args:
            rows: int, N.

        Returns:
            float32 array (N, members).
        """
        return draw_bootstrap(rows, self.members, self.seed)

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        **kwargs: Any,
    ) -> Any:
        """As keras.Model.fit.

        Args:
            sample_weight: array (N,), multiplied with the drawn counts; or (N, members), taken for counts as it is.
            class_weight: refused: weigh the examples.
            **kwargs: and the rest: as keras.Model.fit.
        """
        if class_weight is not None:
            raise ValueError(f"Bagging takes sample_weight, not class_weight. Received: class_weight={class_weight!r}")
        if isinstance(x, np.ndarray | list) or ops.is_tensor(x):
            x, y = np.asarray(x), np.asarray(y)
            rows = len(x) - int(len(x) * validation_split)
            if rows < len(x):
                held = None if sample_weight is None else np.asarray(sample_weight)[rows:]
                validation_data = (x[rows:], y[rows:]) if held is None else (x[rows:], y[rows:], held)
                x, y, validation_split = x[:rows], y[:rows], 0.0
                sample_weight = None if sample_weight is None else np.asarray(sample_weight)[:rows]
            sample_weight = self.counts_for(rows, sample_weight)
        return super().fit(
            x, y, batch_size, epochs, verbose, callbacks, validation_split, validation_data, shuffle,
            sample_weight=sample_weight, **kwargs,
        )  # fmt: skip

    def train_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, **kwargs: Any) -> Any:
        """As keras.Model.train_on_batch; the bootstrap is drawn over this batch unless counts (B, members) come."""
        return super().train_on_batch(x, y, self.counts_for(len(x), sample_weight), **kwargs)

    def counts_for(self, rows: int, sample_weight: Any = None) -> np.ndarray:
        """Counts (N, members), times weights (N,); weights (N, members) are counts already."""
        if sample_weight is None:
            return self.bootstrap(rows)
        given = np.asarray(sample_weight, "float32")
        if given.ndim == 2 and given.shape[1] == self.members:
            return given
        return self.bootstrap(rows) * given.reshape(-1, 1)

    def train_step(self, data: Any) -> Any:
        x, y, counts = keras.utils.unpack_x_y_sample_weight(data)
        if counts is None or len(counts.shape) != 2 or counts.shape[1] != self.members:
            came = None if counts is None else tuple(counts.shape)
            raise ValueError(
                f"Bagging learns from counts (B, {self.members}), how often each member has each example: pass arrays, "
                f"or a dataset of (x, y, counts) with the rows of bootstrap(N). Received: sample_weight of shape {came}"
            )

        for number, member in enumerate(self.ensemble):
            member.train_step((x, y, counts[:, number]))

        return self.test_step((x, y))

    def _symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Under a strategy Keras tries loss and metrics on a first batch; they know no counts."""
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data_batch)
        super()._symbolic_build(data_batch=(x, y))

    def test_step(self, data: Any) -> Any:
        if self.loss is not None:
            return super().test_step(data)
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        scores = self(x, training=False)
        return self.count_mistakes(x, y, scores, mistakes(y, scores), sample_weight)

    def out_of_bag(self, x: Any, counts: Any = None) -> tuple[np.ndarray, np.ndarray]:
        """Each training example answered by those members alone that did not see it.

        Args:
            x: array (N, ...), the examples that `fit` was given, in their order.
            counts: array (N, members), or None for those that `fit` drew.

        Returns:
            Tuple of an array (N, ...), answers as `call` gives them, and a bool array (N,): whether any member had not
            seen the example. Where none had not, the answer is that of all members, and is no estimate.
        """
        counts = self.bootstrap(len(x)) if counts is None else counts
        answer, left_out = out_of_bag_output(self._answers(x), counts, self.combination)
        answer = answer[:, 0] if self.answers_with_one_number else answer
        return ops.convert_to_numpy(answer), ops.convert_to_numpy(left_out)

    def out_of_bag_error(self, x: Any, y: Any, counts: Any = None) -> float:
        """Share of mistakes of the out-of-bag answers, over the examples that have one; NaN if none has.

        Args:
            x: array (N, ...), as `out_of_bag`.
            y: labels (N,).
            counts: as `out_of_bag`.
        """
        answer, left_out = self.out_of_bag(x, counts)
        wrong = ops.convert_to_numpy(mistakes(y, answer))
        return float(wrong[left_out].mean()) if left_out.any() else float("nan")

    def member_classes(self, x: Any) -> np.ndarray:
        """The class each member gives each example, int32 (members, N)."""
        return np.asarray(ops.convert_to_numpy(predicted_class(self._answers(x))))

    def _answers(self, x: Any) -> Any:
        return self.member_outputs(ops.convert_to_tensor(x, dtype=self.ensemble[0].input_dtype))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "combination": self.combination}
