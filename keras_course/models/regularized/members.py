"""Models inside a model: copies of a template, each with its own start, each trained by its own rule.

    member m = the template's config, every "seed" in it replaced by derive_seed(seed, "member", m, path)

Any serialisable Keras model of one input and one output is a template, given as the model itself or as its config
(`keras.saving.serialize_keras_object(model)`). The config is part of the ensemble's own, so that an ensemble is saved,
loaded and exported like any model; the template itself is never trained and is no part of the ensemble. A member that
learns by gradients has an optimizer of its own, a copy of the one given to `compile`; a member with a rule of its own
(the perceptron) needs none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from keras_course.core.model import Endpoint, Model
from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import require_positive_int
from keras_course.ops.ensembles import predicted_class

__all__ = ["Ensemble", "input_shape_of", "model_of", "output_shape_of", "plain_config", "reseeded"]


def model_of(who: str, template: Any) -> keras.Model:
    """The template as a model.

    Args:
        who: name of the caller's class, for the message.
        template: a built Keras model of one input, or what `keras.saving.serialize_keras_object` makes of one.

    Raises:
        ValueError: if it is neither, or its input shape is not known.
    """
    model = keras.saving.deserialize_keras_object(dict(template)) if isinstance(template, Mapping) else template
    if not isinstance(model, keras.Model):
        raise ValueError(f"{who} takes a Keras model, or the config of one. Received: {template!r}")
    if not model.built or input_shape_of(model) is None:
        raise ValueError(f"{who} takes a built Keras model of one input; call it once first. Received: {template!r}")
    return model


def input_shape_of(model: keras.Model) -> tuple[int | None, ...] | None:
    """Shape of the only input, batch axis None; None if it is not known, or there are several."""
    shape = (model.get_build_config() or {}).get("input_shape") or getattr(model, "input_shape", None)
    if not isinstance(shape, list | tuple) or not all(size is None or isinstance(size, int) for size in shape):
        return None
    return (None, *shape[1:])


def output_shape_of(model: keras.Model) -> tuple[int | None, ...]:
    """Shape of the answer, batch axis None, also of a subclass that writes no compute_output_shape."""
    symbol = model(keras.KerasTensor(input_shape_of(model), dtype=model.input_dtype))
    return tuple(symbol.shape)


def plain_config(model: keras.Model) -> dict[str, Any]:
    """A model's config as JSON gives it back, without what it was compiled with."""
    config = keras.saving.serialize_keras_object(model)
    config.pop("compile_config", None)
    plain: dict[str, Any] = json.loads(json.dumps(config))
    return plain


def reseeded(config: Any, root: int, *path: object) -> Any:
    """A config with every "seed" in it, at any depth, derived from (root, path to it).

    Example:
        >>> reseeded({"units": 2, "initializer": {"seed": None}}, 0)["initializer"]["seed"] == derive_seed(
        ...     0, "initializer", "seed"
        ... )
        True
    """
    if isinstance(config, Mapping):
        return {
            key: derive_seed(root, *path, key)
            if key == "seed" and (value is None or isinstance(value, int))
            else reseeded(value, root, *path, key)
            for key, value in config.items()
        }
    if isinstance(config, list):
        return [reseeded(value, root, *path, index) for index, value in enumerate(config)]
    return config


class Ensemble:
    """Mixed into a `core.model.Model` (before it) that consists of members.

    The model calls `make_members` in its `__init__`, trains `self.learners` in its `train_step`, and writes
    `scores(outputs)`, the answer of the ensemble from those of its members.
    """

    def make_members(self, template: Any, members: int) -> None:
        """Makes `self.ensemble`, a list of untrained copies of the template."""
        who = type(self).__name__
        require_positive_int(who, members=members)
        model = model_of(who, template)
        self._template = json.dumps(plain_config(model))
        self.members = members
        self.ensemble = [self.copy_of_template("member", number) for number in range(members)]
        self.input_spec_shape = input_shape_of(model)
        self.answer_shape = output_shape_of(model)
        self.answers_with_one_number = len(self.answer_shape) == 1

    def copy_of_template(self, *path: object) -> keras.Model:
        """A new model from the template, with seeds of its own and a name made of `path`."""
        config = reseeded(json.loads(self._template), self.seed, *path)
        config["config"]["name"] = "_".join(str(part) for part in path)
        return keras.saving.deserialize_keras_object(config)

    @property
    def learners(self) -> list[keras.Model]:
        """The models that `train_step` trains."""
        return self.ensemble

    def member_outputs(self, x: Any) -> Any:
        """What each member answers, in inference mode.

        Args:
            x: tensor (B, ...).

        Returns:
            Tensor (members, B, ...); (members, B, 1) where a member answers with one number, (B,).
        """
        outputs = ops.stack([member(x, training=False) for member in self.ensemble])
        return outputs[..., None] if len(outputs.shape) == 2 else outputs

    def build(self, input_shape: Any) -> None:
        self.built = True

    def call(self, inputs: Any) -> Any:
        return self.answer(self.member_outputs(inputs))

    def answer(self, outputs: Any) -> Any:
        """The ensemble's answer, of the shape of one member's, from `member_outputs`."""
        scores = self.scores(outputs)
        return scores[:, 0] if self.answers_with_one_number else scores

    def classify(self, x: Any) -> Any:
        """The class of largest score, int32 (B,); for a single score 0 where it is negative, else 1."""
        return predicted_class(self(x, training=False))

    def compile(self, optimizer: Any = None, loss: Any = None, metrics: Any = None, **kwargs: Any) -> None:
        """As keras.Model.compile.

        Args:
            optimizer: each learner gets a copy of its own, with a rate that may be a schedule; None for members that
                learn by a rule of their own.
            loss: the learners' loss; the ensemble's own too where its answer is of the members' kind.
            metrics: of the ensemble's answer.
            **kwargs: as keras.Model.compile.

        Raises:
            ValueError: if members that learn by gradients get no optimizer or no loss.
        """
        optimizer = None if optimizer is None else keras.optimizers.get(optimizer)
        by_gradients = (keras.Model.train_step, Model.train_step)
        own_rule = all(type(member).train_step not in by_gradients for member in self.learners)
        if not own_rule and (optimizer is None or loss is None):
            raise ValueError(
                f"{type(self).__name__} of members that learn by gradients needs an optimizer and a loss. "
                f"Received: optimizer={optimizer!r}, loss={loss!r}"
            )
        for member in self.learners:
            given = {} if optimizer is None else {"optimizer": type(optimizer).from_config(optimizer.get_config())}
            member.compile(**given, **({} if loss is None else {"loss": loss}))
            if member.optimizer is not None and not member.optimizer.built:
                member.optimizer.build(member.trainable_variables)
        self._learning = json.dumps(keras.saving.serialize_keras_object({"optimizer": optimizer, "loss": loss}))
        super().compile(optimizer=None, loss=self.own_loss(loss), metrics=metrics, **kwargs)

    def own_loss(self, loss: Any) -> Any:
        """The loss of the ensemble's own answer, None where that is a vote, whose loss is the share of mistakes."""
        return None

    def get_compile_config(self) -> dict[str, Any]:
        """What `compile` was given; Keras itself would remember the ensemble's own part alone."""
        config = super().get_compile_config()
        return {**config, **json.loads(self._learning)} if config else config

    def count_mistakes(self, x: Any, y: Any, scores: Any, wrong: Any, sample_weight: Any) -> Any:
        """Updates Keras's loss tracker with the 0-1 loss, and the metrics of `compile`."""
        weighted = wrong if sample_weight is None else wrong * ops.cast(ops.reshape(sample_weight, (-1,)), wrong.dtype)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(weighted)
        return self.compute_metrics(x, y, scores, sample_weight)

    def endpoints(self) -> dict[str, Endpoint]:
        """`serving_default`: the ensemble's scores; `class`; `members`: every member's answer (B, members, ...)."""
        dtype = self.ensemble[0].input_dtype
        inputs = keras.InputSpec(shape=self.input_spec_shape, dtype=dtype, name="x")
        return {
            "serving_default": (lambda x: self(x, training=False), [inputs]),
            "class": (self.classify, [inputs]),
            "members": (lambda x: ops.moveaxis(self.member_outputs(x), 0, 1), [inputs]),
        }

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (input_shape[0], *self.answer_shape[1:])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "member": json.loads(self._template), "members": self.members}
