"""The model base class: a keras.Model with endpoints, repeatable seeds, and a guard against silence.

    endpoints()      {name: (function, tensor specs)}; export(path) writes them all into one SavedModel
    step_seed(salt)  stateless seed = (model seed, salt, optimizer.iterations)
    compile, fit     refuse a reachable variable that Keras does not track: it would never train
    fit              cuts the batches of plain arrays in the graph (`core.array_batches`), anything else as Keras does
    train_step, fit  serve optimizers that move before the gradient (`look_ahead`) or count batches (`fit_callback`)
    class definition refuses a method or attribute name that Keras overwrites on every instance

Everything else is Keras's: subclass it, compile, fit, evaluate, predict and save as usual.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import keras
import tensorflow as tf

from keras_course.core import array_batches, serial, tracking
from keras_course.core.backend import require_tensorflow
from keras_course.core.errors import ReservedNameError
from keras_course.core.seeds import stateless_seed

Endpoint = tuple[Callable[..., Any], list[Any]]

# What keras.Model assigns on every instance: `loss` becomes None in __init__, `optimizer` is set in compile …
ASSIGNED_BY_KERAS = frozenset(
    {
        "built", "compiled", "history", "inputs", "jit_compile", "loss", "optimizer", "outputs", "predict_function",
        "run_eagerly", "steps_per_execution", "stop_evaluating", "stop_predicting", "stop_training", "supports_jit",
        "test_function", "train_function",
    }
)  # fmt: skip


class MultiWorkerStrategy(tf.distribute.MultiWorkerMirroredStrategy):
    """Several workers that Keras 3 can train with: the stock strategy, but its mean of a scalar is that scalar's mean.

    Keras asks for the mean of a step's metrics over axis 0, and scalars have none (keras issue 20585). Use it as the
    stock one: TF_CONFIG names the workers, models are made and compiled within `strategy.scope()`, and `fit` is given
    the global batch. TensorFlow's worker server listens on every interface of the machine, whatever TF_CONFIG says:
    run it in a network of your own.

    Args:
        **kwargs: as tf.distribute.MultiWorkerMirroredStrategy.
    """

    def reduce(self, reduce_op: Any, value: Any, axis: int | None = None) -> Any:
        local = self.experimental_local_results(value)
        scalar = all(len(getattr(part, "shape", ())) == 0 for part in local)
        return super().reduce(reduce_op, value, axis=None if scalar else axis)


class Model(keras.Model):
    """A Keras model that exports several endpoints, repeats its draws and refuses untracked variables.

    Subclass it as you would `keras.Model`. A model whose `train_step` never calls the model itself must end its
    `__init__` with `self.build(...)`.

    Attributes:
        one_program: bool, whether under XLA all steps of an execution on arrays (`steps_per_execution`) are one
            program in place of a program a step: other bits than Keras's way, and for small steps less time.
        keras_step: bool, whether a `train_step` of one's own ends in Keras's, which trains all trainable variables:
            then the optimizer has its variables before the step is traced, and one trace is enough.

    Args:
        seed: int, root of every random draw of this model: initial weights (`derive_seed(self.seed, "path")`) and
            steps (`step_seed`). Part of the config.
        **kwargs: as keras.Model (name, dtype, trainable).

    Raises:
        BackendError: under another Keras backend than TensorFlow.
        ReservedNameError: at class definition, for a name that Keras overwrites.
        TypeError: for a functional model, `Model(inputs, outputs)`.

    Example:
        >>> class Doubler(Model):
        ...     def call(self, inputs):
        ...         return 2.0 * inputs
        >>> float(Doubler()(keras.ops.ones((1, 1)))[0, 0])
        2.0
    """

    one_program: ClassVar[bool] = False
    keras_step: ClassVar[bool] = False

    def __init__(self, *args: Any, seed: int = 0, **kwargs: Any) -> None:
        require_tensorflow(type(self).__name__)
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise ValueError(f"{type(self).__name__} needs an integer seed. Received: seed={seed!r}")
        if args or {"inputs", "outputs"} & set(kwargs):
            # Keras would exchange the base of this class for the whole process, and break every other subclass.
            raise TypeError(
                f"{type(self).__name__} is subclassed, not made of inputs and outputs; take keras.Model for that, or "
                f"hold the functional model as an attribute. Received: {len(args)} positional arguments, "
                f"{', '.join(sorted(kwargs)) or 'no others'}"
            )
        super().__init__(**kwargs)
        self.seed = seed
        _keep_collectives_apart(self._distribute_strategy)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, value in vars(cls).items():
            if name.startswith("_"):
                continue
            inherited = getattr(keras.Model, name, None)
            replaced_property = isinstance(inherited, property) and not isinstance(value, property)
            if name in ASSIGNED_BY_KERAS or replaced_property:
                raise ReservedNameError(
                    f"{cls.__name__} defines {name!r}, a name that keras.Model overwrites, or reads as something "
                    f"else, on every instance; choose another. Received: {name}={value!r}"
                )

    def step_seed(self, salt: str) -> Any:
        """The seed of one draw in this training step, the same in a resumed run.

        Args:
            salt: str, names the draw, so that two draws of one step differ.

        Returns:
            int32 tensor (2,), for tf.random.stateless_* and tfp. Step 0 before compile.
        """
        optimizer = getattr(self, "optimizer", None)
        step = optimizer.iterations if optimizer is not None else 0
        return stateless_seed(self.seed, salt, step)

    @staticmethod
    def share_of_batch(rows: Any) -> tuple[Any, Any]:
        """Where this replica's examples lie in the whole batch, so that R replicas draw what one would have drawn.

        Args:
            rows: int or int32 scalar tensor, this replica's number of examples.

        Returns:
            Tuple (first row, rows of all replicas together); (0, rows) with one replica.
        """
        context = tf.distribute.get_replica_context()
        if context is None or context.num_replicas_in_sync == 1:
            return 0, rows
        sizes = context.all_gather(tf.reshape(tf.cast(rows, "int32"), (1,)), axis=0)  # (R,)
        return tf.reduce_sum(sizes[: context.replica_id_in_sync_group]), tf.reduce_sum(sizes)

    @staticmethod
    def mean_over_rows(values: Any) -> Any:
        """What a `compute_loss` of one's own returns: this replica's mean, scaled as Keras scales its own losses.

        Args:
            values: tensor (B,), the loss of each row.

        Returns:
            Scalar tensor, mean(values) / number of replicas.
        """
        return keras.ops.mean(values) / tf.distribute.get_strategy().num_replicas_in_sync

    def compile(self, *args: Any, **kwargs: Any) -> None:
        tracking.require_tracked(self)
        super().compile(*args, **kwargs)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles a loaded model as it was saved; Keras leaves a model with a `compile` of its own uncompiled."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.optimizer is not None and self.built:
            self.optimizer.build(self.trainable_variables)

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        tracking.require_tracked(self)
        watches = []
        if not self.built:  # its variables exist only after the first step
            watches.append(tracking.CheckAfterFirstStep())
        if hasattr(_inner_optimizer(self), "fit_callback"):
            watches.append(_inner_optimizer(self).fit_callback())
        if watches and isinstance(callbacks, keras.callbacks.CallbackList):
            for watch in watches:
                watch.set_model(self)
                watch.set_params(callbacks.params or {})
                callbacks.callbacks.append(watch)
        elif watches:
            given = list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks] if callbacks else []
            callbacks = [*given, *watches]
        if not args:
            x, y, kwargs = self._batches_of_arrays(x, y, batch_size, kwargs)
        return super().fit(x, y, batch_size, epochs, verbose, callbacks, *args, **kwargs)

    def _batches_of_arrays(self, x: Any, y: Any, size: int | None, rest: dict[str, Any]) -> tuple[Any, Any, Any]:
        """Arrays that need nothing unusual, as batches that Keras's `fit` reads without tf.data."""
        own = ("shuffle", "sample_weight", "class_weight")
        how = {name: rest[name] for name in own if name in rest}
        unusual = {name: rest.get(name) or None for name in ("validation_split", "steps_per_epoch")}
        arrays = (x, y, how.get("sample_weight"))
        if not array_batches.may_cut_batches(self, arrays, how.setdefault("shuffle", True), unusual):
            return x, y, rest
        others = {name: value for name, value in rest.items() if name not in own}
        return array_batches.ArrayBatches(x, y, batch_size=size, **how), None, others

    def make_train_function(self, force: bool = False) -> Any:
        self._build_optimizer()
        kept = getattr(self, "train_function", None)
        super().make_train_function(force)
        made: Any = vars(self)["train_function"]
        if made is not kept:
            made = self.train_function = array_batches.reading_arrays(self, made)
        return made

    @property
    def _has_own_step(self) -> bool:
        return type(self).train_step is not Model.train_step and not self.keras_step

    def _build_optimizer(self) -> None:
        """Makes the variables that the optimizer's first step would make: TensorFlow traces twice what makes some."""
        optimizer = getattr(self, "optimizer", None)
        if self._has_own_step or optimizer is None or optimizer.built or self._distribute_strategy is not None:
            return
        if all(layer.built for layer in self._flatten_layers()):
            optimizer.build(self.trainable_variables)

    def _build_metrics(self, batch: Any) -> None:
        """Makes the variables of metrics asked for by name, for the same reason, from what a batch looks like."""
        metrics = getattr(self, "_compile_metrics", None)
        if batch is None or metrics is None or metrics.built or self._has_own_step:
            return
        asked = keras.tree.flatten((metrics._user_metrics, metrics._user_weighted_metrics))
        if all(each is None or getattr(each, "variables", ()) for each in asked):
            return

        def symbol(each: Any) -> Any:
            return each and keras.KerasTensor(each.shape, keras.backend.standardize_dtype(each.dtype))

        try:
            x, y, _ = keras.utils.unpack_x_y_sample_weight(keras.tree.map_structure(symbol, batch))
            metrics.build(y, self.compute_output_spec(x))
        except Exception:  # what a model or metric cannot do without numbers; the first step makes them, or says why
            return

    def train_step(self, data: Any) -> Any:
        """Keras's step; an optimizer that has `look_ahead` moves the weights before it, and steps on in `apply`.

        A `train_step` of your own that is to serve such an optimizer does the same.
        """
        optimizer = _inner_optimizer(self)
        if not hasattr(optimizer, "look_ahead"):
            return super().train_step(data)
        variables = self.trainable_variables
        optimizer.look_ahead(variables)
        try:
            logs = super().train_step(data)
        except BaseException:
            optimizer.step_back(variables)
            raise
        if optimizer is not self.optimizer:  # loss scaling, which leaves the step out after an overflow
            optimizer.step_back(variables)
        return logs

    def _compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The loss, in whose gradient each replica counts by its share of the batch's rows.

        Keras takes the mean of the replicas' means, so that a batch split 3 + 2 would train another model than the
        batch itself. A replica without rows adds nothing. Right for losses that are means over rows.
        """
        loss = super()._compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=training)
        context = tf.distribute.get_replica_context()
        if context is None or context.num_replicas_in_sync == 1:
            return loss
        rows = tf.shape(next(leaf for leaf in keras.tree.flatten(x) if leaf is not None))[0]
        loss = tf.where(rows > 0, loss, tf.zeros_like(loss))
        if not training:
            return loss
        _, total = self.share_of_batch(rows)
        weighted = loss * (tf.cast(rows * context.num_replicas_in_sync, loss.dtype) / tf.cast(total, loss.dtype))
        return weighted + tf.stop_gradient(loss - weighted)  # the value stays this replica's mean

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Builds model, optimizer and metrics under a strategy from what one replica sees.

        Keras takes the mean over replicas of the first batch, which fails for several workers (keras issue 20585);
        shapes and dtypes are all that matters here, and any replica's share has them.
        """
        strategy = self._distribute_strategy
        if strategy is None:
            built = all(layer.built for layer in self._flatten_layers())
            if built:
                self._build_metrics(getattr(getattr(iterator, "_distributed_dataset", None), "element_spec", None))
            if built or not hasattr(_inner_optimizer(self), "look_ahead"):
                return
            strategy = tf.distribute.get_strategy()  # what the first step moves has to exist before it is traced
        if iterator is not None:
            for _, _, batches in iterator:
                first = next(batches)
                data_batch = keras.tree.map_structure(lambda each: strategy.experimental_local_results(each)[0], first)
                break
        with strategy.scope():
            self._symbolic_build(data_batch=data_batch)

    def endpoints(self) -> dict[str, Endpoint]:
        """What the exported model answers to.

        Returns:
            {name: (function, specs)}: a function of tensors that returns a tensor or a dict of tensors, and one
            `keras.InputSpec` or `tf.TensorSpec` an argument, batch axis None. `serving_default` is what a server
            calls when no name is given.

        Raises:
            ValueError: if the model was never built and its input shape is unknown.
        """
        shape = (self.get_build_config() or {}).get("input_shape")
        if not isinstance(shape, list | tuple) or not all(size is None or isinstance(size, int) for size in shape):
            raise ValueError(
                f"{type(self).__name__} has no single known input shape; build it, or write its endpoints(). "
                f"Received: input_shape={shape}"
            )
        inputs = keras.InputSpec(shape=(None, *shape[1:]), dtype=self.input_dtype, name="inputs")
        return {"serving_default": (lambda inputs: self(inputs, training=False), [inputs])}

    def export(self, filepath: str | os.PathLike[str], format: str = "tf_saved_model", **kwargs: Any) -> None:
        """Writes every endpoint into one SavedModel that needs nothing of this package.

        A manifest of sha256 sums lies in it, for `core.serial.load_exported`. An earlier SavedModel at `filepath` is
        replaced only once the new one is complete.

        Args:
            filepath: folder to write, for a server usually `NAME/VERSION`.
            format: "tf_saved_model"; other formats go to keras.Model.export with the remaining arguments.

        Raises:
            ValueError: if an endpoint cannot be traced; the message names it, and nothing is written.
        """
        if format != "tf_saved_model":
            super().export(os.fspath(filepath), format=format, **kwargs)
            return
        archive = serial.export_archive(self.endpoints(), self)

        target = Path(filepath)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
            fresh, old = Path(scratch, "new"), Path(scratch, "old")
            archive.write_out(os.fspath(fresh), verbose=False)
            serial.vouch_for_export(fresh)
            if target.exists():
                shutil.move(target, old)
            shutil.move(fresh, target)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}

    # Keras then still refuses to save a subclass that takes arguments and writes no get_config of its own.
    get_config._is_default = True  # type: ignore[attr-defined]


_key_bases = itertools.count(1000, 1000)


def _keep_collectives_apart(strategy: Any) -> None:
    """Gives a MirroredStrategy keys of its own for what its replicas exchange, once.

    TensorFlow counts them from 1 in every strategy, so that a second one in a process asks for sums under the keys of
    the first: those of other shapes end all collectives ("Shape mismatch in the collective instance").
    Workers must agree on keys, and keep TensorFlow's.
    """
    extended: Any = getattr(strategy, "extended", None)
    make = getattr(extended, "_make_collective_ops_with_fallbacks", None)
    if make is None or not isinstance(strategy, tf.distribute.MirroredStrategy) or extended._collective_key_base:
        return
    before = extended._collective_ops
    extended._collective_key_base = next(_key_bases)
    extended._collective_ops = make()
    if extended._cross_device_ops is before:
        extended._cross_device_ops = extended._collective_ops


def _inner_optimizer(model: keras.Model) -> Any:
    """The optimizer that makes the steps, without loss scaling wrapped around it; None before compile."""
    optimizer = getattr(model, "optimizer", None)
    return getattr(optimizer, "inner_optimizer", optimizer)
