"""AdaBoost: simple predictors trained one after the other, each on what the ones before got wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.core.errors import InvalidDataError
from keras_course.core.model import Model
from keras_course.core.serial import register
from keras_course.core.shapes import require_positive_int
from keras_course.models.regularized.members import Ensemble
from keras_course.ops.boosting import member_weight, training_error_bound
from keras_course.ops.ensembles import ensemble_output, mistakes

__all__ = ["AdaBoost"]

MEASURING_BATCH = 1024


@register("AdaBoost")
class AdaBoost(Ensemble, Model):
    """Discrete AdaBoost over copies of any Keras classifier; SAMME for more than two classes.

    1. D_i = 1/N
    2. train a member on the examples weighted by D;  e = sum_i D_i [h(x_i) != y_i]
    3. alpha = nu (log((1 - e) / e) + log(K - 1));  D_i <- D_i exp(alpha [h(x_i) != y_i]) / sum;  again from 2
    4. answer H(x) = argmax_c sum_m alpha_m [h_m(x) = c]

    A member is trained for `epochs_per_member` epochs of `fit` (N D_i are its sample weights, of mean 1), then measured
    on the whole training set and given its say; so `fit` needs members x epochs_per_member epochs, and ends by itself
    once the ensemble is complete (a further `fit` changes no answer). Validation sees the member that was just added.
    D is never stored: it is recomputed for every batch from the members' mistakes, so the data may come in any order
    and batches of any size. All state is in variables: a killed run resumes to the bit.

    A member no better than chance gets alpha = 0: it has no say, and the next one tries from another start. A member
    without a weighted mistake decides alone from then on, and the ensemble is complete.

    Args:
        member: template of the members: a built Keras classifier whose answers are scores (B, K) or single signs or
            logits, (B,) or (B, 1); or its config.
        members: int, how many at most.
        epochs_per_member: int, epochs of `fit` for each.
        learning_rate: float > 0, nu: below 1, every member says less.
        seed: int, root of the members' starts.
        **kwargs: as keras.Model.

    Input shape:
        The template's.

    Output shape:
        The template's: the members' weighted shares of votes in [0, 1], or for single answers a vote in [-1, 1].

    Raises:
        ValueError: for a member that is no built Keras model, or arguments out of range; by `fit`, for data that cannot
            be read again to measure a member.
        InvalidDataError: by `fit`, if all sample weights are 0.

    Example:
        >>> from keras_course.models.regularized import DecisionStump
        >>> model = AdaBoost(DecisionStump(1), members=3)
        >>> model.compile()
        >>> x, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 1, 1, 0])
        >>> history = model.fit(x, y, batch_size=4, epochs=3, verbose=0)
        >>> [round(float(e), 3) for e in model.errors.numpy()], model.classify(x).numpy().tolist()
        ([0.25, 0.167, 0.2], [0, 1, 1, 0])

    Source: C 6.12; Freund and Schapire 1997; Zhu et al. 2009.
    """

    def __init__(
        self,
        member: Any,
        members: int = 10,
        epochs_per_member: int = 1,
        learning_rate: float = 1.0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        require_positive_int("AdaBoost", epochs_per_member=epochs_per_member)
        if not learning_rate > 0:
            raise ValueError(f"AdaBoost needs learning_rate > 0. Received: learning_rate={learning_rate!r}")
        self.epochs_per_member = epochs_per_member
        self.learning_rate = learning_rate
        self.make_members(member, members)
        self.learner = self.copy_of_template("learner")
        fixed = {"trainable": False, "autocast": False, "initializer": "zeros", "aggregation": "only_first_replica"}
        self.alphas = self.add_weight(shape=(members,), dtype="float64", name="alphas", **fixed)
        self.errors = self.add_weight(shape=(members,), dtype="float64", name="errors", **fixed)
        self.log_mean = self.add_weight(shape=(), dtype="float64", name="log_mean_of_weights", **fixed)
        self.trained = self.add_weight(shape=(), dtype="int32", name="members_trained", **fixed)
        self.epochs = self.add_weight(shape=(), dtype="int32", name="epochs_of_this_member", **fixed)
        self.steps = self.add_weight(shape=(), dtype="int32", name="steps_of_this_epoch", **fixed)
        columns = 1 if self.answers_with_one_number else self.answer_shape[-1]
        self.classes = max(columns, 2)
        self._start_next_member(0)
        self.build(self.input_spec_shape)

    @property
    def learners(self) -> list[Any]:
        return [self.learner]

    def scores(self, outputs: Any) -> Any:
        """sum_m alpha_m [h_m(x) = c] / sum_m alpha_m from `member_outputs`."""
        return ensemble_output(outputs, "vote", weights=ops.cast(self.alphas, outputs.dtype))

    def example_weights(self, y: Any, outputs: Any, sample_weight: Any = None) -> Any:
        """N D_i, of mean 1 over the training set: exp(sum_m alpha_m [h_m(x_i) != y_i] - log mean).

        Args:
            y: labels (B,).
            outputs: tensor (members, B, ...), `member_outputs`; those still to be trained have alpha = 0.
            sample_weight: tensor (B,) or None, what the examples weighed before.

        Returns:
            Tensor (B,).
        """
        wrong = mistakes(y, outputs)  # (members, B)
        alphas = ops.cast(self.alphas, wrong.dtype)[:, None]
        weights = ops.exp(ops.sum(alphas * wrong, axis=0) - ops.cast(self.log_mean, wrong.dtype))
        return weights if sample_weight is None else weights * ops.cast(ops.reshape(sample_weight, (-1,)), wrong.dtype)

    def train_step(self, data: Any) -> Any:
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)

        outputs = self.member_outputs(x)
        weights = self.example_weights(y, outputs, sample_weight)

        self.learner.train_step((x, y, weights))
        self.steps.assign_add(1)

        scores = self.answer(outputs)
        return self.count_mistakes(x, y, scores, mistakes(y, scores), sample_weight)

    def test_step(self, data: Any) -> Any:
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        scores = self(x, training=False)
        return self.count_mistakes(x, y, scores, mistakes(y, scores), sample_weight)

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
        """As keras.Model.fit; x is an array or a finite tf.data.Dataset, which is read once more for every member."""
        if class_weight is not None:
            raise ValueError(f"AdaBoost takes sample_weight, not class_weight. Received: class_weight={class_weight!r}")
        if isinstance(x, np.ndarray | list) or ops.is_tensor(x):
            parts = [None if part is None else np.asarray(part) for part in (x, y, sample_weight)]
            rows = len(parts[0]) - int(len(parts[0]) * validation_split)
            if rows < len(parts[0]):
                validation_data = tuple(part[rows:] for part in parts if part is not None)
                parts, validation_split = [None if part is None else part[:rows] for part in parts], 0.0
            x, y, sample_weight = parts
            again: Any = lambda: _in_batches([part for part in parts if part is not None])  # noqa: E731
        elif isinstance(x, tf.data.Dataset) and int(x.cardinality()) != int(tf.data.INFINITE_CARDINALITY):
            again = lambda: x  # noqa: E731
        else:
            raise ValueError(
                "AdaBoost reads its data again to measure each member: give fit arrays or a finite tf.data.Dataset. "
                f"Received: x of type {type(x).__name__}"
            )
        return super().fit(
            x, y, batch_size, epochs, verbose, _finishing(self, again, callbacks), validation_split, validation_data,
            shuffle, sample_weight=sample_weight, **kwargs,
        )  # fmt: skip

    def weighted_mistakes(self, x: Any, y: Any, sample_weight: Any = None) -> tuple[Any, Any]:
        """What one batch adds to sum_i D_i [h(x_i) != y_i] and to sum_i D_i, for the learner as it is."""
        weights = self.example_weights(y, self.member_outputs(x), sample_weight)
        wrong = mistakes(y, self.learner(x, training=False))
        return ops.sum(weights * wrong), ops.sum(weights)

    def end_epoch(self, batches: Iterable[Any], measure: Callable[..., Any] | None = None) -> None:
        """Counts an epoch of training; after the last of a member, measures it, and gives it its say.

        `fit` calls it; a loop of your own around `train_step` calls it after each pass. Without a step since the last
        call it does nothing.

        Args:
            batches: (x, y) or (x, y, sample_weight), the whole training set.
            measure: `weighted_mistakes`, compiled; None calls it as it is.

        Raises:
            InvalidDataError: if the weights have no positive, finite sum.
        """
        if not _number(self.steps) or self.complete:
            return
        self.steps.assign(0)
        self.epochs.assign_add(1)
        if _number(self.epochs) < self.epochs_per_member:
            return
        wrong = total = 0.0
        for batch in batches:
            x, y, weight = keras.utils.unpack_x_y_sample_weight(batch)
            sums = (measure or self.weighted_mistakes)(*[part for part in (x, y, weight) if part is not None])
            wrong, total = wrong + float(sums[0]), total + float(sums[1])
        if not (total > 0 and np.isfinite(total)):
            raise InvalidDataError(f"AdaBoost needs sample weights of positive, finite sum. Received: sum {total}")
        self.add_member(wrong / total)

    def add_member(self, error: float) -> None:
        """Puts the learner into the ensemble with the say that its weighted error earns; starts the next one.

        Args:
            error: float in [0, 1], e.
        """
        number = _number(self.trained)
        alphas, errors = _value(self.alphas), _value(self.errors)
        _copy(self.learner, self.ensemble[number])
        alpha = float(member_weight(np.float64(error), self.classes, self.learning_rate))
        if error == 0:  # the limit: an infinite say
            alphas[:], alpha = 0.0, 1.0
        else:
            self.log_mean.assign_add(np.log(1 - error + error * np.exp(alpha)))
        alphas[number], errors[number] = alpha, error
        self.alphas.assign(alphas)
        self.errors.assign(errors)
        self.epochs.assign(0)
        self.trained.assign(self.members if error == 0 else number + 1)
        if not self.complete:
            self._start_next_member(number + 1)

    @property
    def complete(self) -> bool:
        """Whether nothing is left to train."""
        return _number(self.trained) == self.members

    def _start_next_member(self, number: int) -> None:
        _copy(self.ensemble[number], self.learner)  # untrained yet: its start
        for variable, start in zip(self._optimizer_variables(), self._optimizer_start(), strict=True):
            variable.assign(start)

    def _optimizer_variables(self) -> list[Any]:
        optimizer = getattr(self.learner, "optimizer", None)
        return [] if optimizer is None else list(optimizer.variables)

    def _optimizer_start(self) -> list[Any]:
        """A fresh optimizer's variables: slots and iterations of 0, and the learning rate."""
        optimizer = getattr(self.learner, "optimizer", None)
        if optimizer is None:
            return []
        fresh = type(optimizer).from_config(optimizer.get_config())
        fresh.build(self.learner.trainable_variables)
        return [_value(variable) for variable in fresh.variables]

    def training_error_bound(self) -> np.ndarray:
        """What the share of mistakes on the training set cannot exceed after each member trained so far, (trained,)."""
        count = _number(self.trained)
        return np.asarray(training_error_bound(_value(self.errors)[:count], _value(self.alphas)[:count]))

    def staged_scores(self, x: Any) -> np.ndarray:
        """The scores after 1, 2, ... members.

        Args:
            x: array (N, ...).

        Returns:
            Array (members, N, ...), (members, N, 1) where a member answers with one number.
        """
        outputs = self.member_outputs(ops.convert_to_tensor(x, dtype=self.learner.input_dtype))
        alphas = ops.cast(self.alphas, outputs.dtype)
        stages = [ensemble_output(outputs[: m + 1], "vote", alphas[: m + 1]) for m in range(self.members)]
        return np.asarray(ops.convert_to_numpy(ops.stack(stages)))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "epochs_per_member": self.epochs_per_member,
            "learning_rate": self.learning_rate,
        }


class _FinishMembers(keras.callbacks.Callback):
    """Comes first, so that validation and every other callback see the member that was just added."""

    resume_attributes: tuple[str, ...] = ()  # all state is in the model's variables

    def __init__(self, again: Callable[[], Iterable[Any]]) -> None:
        super().__init__()
        self.again = again
        self.measure: Callable[..., Any] | None = None

    def on_test_begin(self, logs: Any = None) -> None:
        self._end_epoch()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._end_epoch()
        if self.model.complete:
            self.model.stop_training = True

    def _end_epoch(self) -> None:
        if self.measure is None and not self.model.run_eagerly:
            self.measure = tf.function(self.model.weighted_mistakes, autograph=False, reduce_retracing=True)
        self.model.end_epoch(self.again(), self.measure)


def _finishing(model: AdaBoost, again: Callable[[], Iterable[Any]], callbacks: Any) -> Any:
    finish = _FinishMembers(again)
    if isinstance(callbacks, keras.callbacks.CallbackList):
        finish.set_model(model)
        callbacks.callbacks = [finish, *[one for one in callbacks.callbacks if not isinstance(one, _FinishMembers)]]
        return callbacks
    return [finish, *(callbacks if isinstance(callbacks, list | tuple) else [callbacks] if callbacks else [])]


def _in_batches(parts: list[Any]) -> Iterable[Any]:
    for start in range(0, len(parts[0]), MEASURING_BATCH):
        yield tuple(ops.convert_to_tensor(part[start : start + MEASURING_BATCH]) for part in parts)


def _value(variable: Any) -> np.ndarray:
    """A copy of the value, also of a variable that is mirrored over replicas."""
    return np.array(tf.convert_to_tensor(variable.value))


def _number(variable: Any) -> int:
    return int(_value(variable))


def _copy(one: Any, other: Any) -> None:
    for source, target in zip(one.variables, other.variables, strict=True):
        target.assign(_value(source))
