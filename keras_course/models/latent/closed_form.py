"""What a model needs that learns by a closed-form update from sums over all its samples (Lloyd, EM).

    every step       sums += statistics of the batch, at the parameters of the epoch's beginning
    end of an epoch  parameters <- update(sums);  sums <- 0

So an epoch is one exact iteration over the whole data, whatever the batch size and the number of replicas. The sums
are variables: a run killed inside an epoch and resumed from its checkpoint ends where it would have ended.

Where all samples are one batch and nobody looks in between, the iterations run in one graph: `unwatched_iterations`.
"""

import math

import keras
import numpy as np
import tensorflow as tf

from keras_course.core.errors import InvalidDataError
from keras_course.core.shapes import require_features, require_rank
from keras_course.models.latent.sums_over_rows import sums_over_shares
from keras_course.models.latent.unwatched_iterations import fit_unwatched, may_run_unwatched

EVALUATION_BATCH = 4096
BATCHES = tf.data.Options()  # slices of a tensor in memory: nothing to tune, and trying costs more than the slices
BATCHES.autotune.enabled = False  # its thread keeps the end of a fit waiting, for up to a second
BATCHES.experimental_optimization.apply_default_optimizations = False


class ClosedFormTraining:
    """Mixed into a `core.model.Model` (before it) whose `train_step` calls `accumulate`.

    The model calls `add_sums` in its `__init__` and writes two methods:

    update(sums)   takes {name: float64 NumPy array} over all samples of the epoch, assigns the parameters; returns
                   whether they have converged, which ends `fit`. With `updates_in_graph = True` it takes and
                   returns tensors, and raises nothing
    start_from(x)  chooses first parameters from samples (N, features), NumPy; asked for unless `started` is set
    """

    updates_in_graph = False

    def add_sums(self, **shapes):
        """Creates the accumulator: one float64 vector for all names (`sizes` among them) and `rows`, samples seen."""
        fixed = {"initializer": "zeros", "trainable": False, "autocast": False, "aggregation": "only_first_replica"}
        self.shapes_of_sums = {**shapes, "rows": ()}
        length = sum(math.prod(shape) for shape in self.shapes_of_sums.values())
        self.sums = self.add_weight(shape=(length,), dtype="float64", name="sums", **fixed)
        self.started = self.add_weight(shape=(), dtype="int32", name="started", **fixed)
        self.converged = False
        self.graph_of_iterations = None

    @staticmethod
    def sum_over_replicas(tensors):
        """Adds up what every replica found; with one replica, what came.

        Args:
            tensors: list of tensors, the same shapes on every replica.

        Returns:
            List of their sums.
        """
        context = tf.distribute.get_replica_context()
        if context.num_replicas_in_sync == 1:
            return list(tensors)
        return context.all_reduce(tf.distribute.ReduceOp.SUM, list(tensors))

    def accumulate(self, rows, **statistics):
        """Adds one batch's statistics, summed over the replicas, to the epoch's.

        Args:
            rows: number of samples in this replica's batch.
            **statistics: tensor a name of `add_sums`.
        """
        found = {**statistics, "rows": rows}
        vectors = [tf.reshape(tf.cast(found[name], "float64"), (-1,)) for name in self.shapes_of_sums]
        self.sums.assign_add(self.sum_over_replicas([tf.concat(vectors, axis=0)])[0])

    def sums_by_name(self):
        """{name of `add_sums`, and rows: float64 array}, what was accumulated since the last update.

        NumPy's arrays, tensors while a graph is traced.
        """
        lengths = [math.prod(shape) for shape in self.shapes_of_sums.values()]
        if tf.inside_function():
            parts = tf.split(tf.convert_to_tensor(self.sums), lengths)
        else:
            parts = np.split(value_of(self.sums), np.cumsum(lengths)[:-1])
        return {
            name: part.reshape(shape) if isinstance(part, np.ndarray) else tf.reshape(part, shape)
            for (name, shape), part in zip(self.shapes_of_sums.items(), parts, strict=True)
        }

    def make_train_function(self, force=False):
        """As keras.Model's, but the step is not compiled by XLA as a whole: `sums_of_batch` compiles its parts."""
        asked, self.jit_compile = self.jit_compile, False
        try:
            return super().make_train_function(force)
        finally:
            self.jit_compile = asked

    def sums_of_batch(self, statistics, x, weight, work_of_a_row):
        """statistics(x, weight); with jit_compile=True compiled, and large batches shared out among the cores.

        Args:
            statistics: takes x (B, D) and weight (B,), returns a list of sums over rows, linear in weight.
            x, weight: the tensors.
            work_of_a_row: int, products that a row takes.
        """
        if self.jit_compile and not tf.executing_eagerly():
            return sums_over_shares(statistics, x, weight, work_of_a_row)
        return list(statistics(x, weight))

    def end_epoch(self):
        """Updates the parameters from the sums so far and sets the sums to zero; without samples, does nothing.

        `fit` and `train_on_batch` call it; a loop of your own around `train_step` calls it after each pass.

        Raises:
            InvalidDataError: if the data were not finite or too few; the parameters stay as they were.
        """
        sums = self.sums_by_name()
        if sums["rows"] == 0:
            return
        self.forget()
        for name, value in sums.items():
            if not np.all(np.isfinite(value)):
                raise InvalidDataError(
                    f"{type(self).__name__} needs finite data; the parameters stay as they were. Received: NaN or "
                    f"infinite values in the sum of {name} over {int(sums['rows'])} samples"
                )
        self.require_rows(int(sums["rows"]))
        if not sums["sizes"].sum() > 0:
            raise InvalidDataError(
                f"{type(self).__name__} needs sample weights of positive sum; the parameters stay as they were. "
                f"Received: sum {sums['sizes'].sum()}"
            )
        self.converged = bool(self.update(sums))

    def forget(self):
        """Sets the sums to zero: the samples seen since the last update do not count."""
        self.sums.assign(np.zeros(self.sums.shape))

    def require_rows(self, rows):
        """Refuses fewer samples than clusters or components.

        Raises:
            InvalidDataError: if rows < parts.
        """
        if rows < self.parts:
            raise InvalidDataError(
                f"{type(self).__name__} with {self.parts} {self.parts_name} needs at least as many samples. "
                f"Received: {rows} samples"
            )

    def checked(self, x):
        """Samples as a finite NumPy matrix of the model's dtype.

        Raises:
            ValueError: for a wrong rank or number of features.
            InvalidDataError: for NaN, infinite values, or fewer samples than parts.
        """
        x = np.asarray(x)
        require_rank(type(self).__name__, x.shape, 2)
        require_features(type(self).__name__, x.shape, self.features)
        with np.errstate(over="ignore", invalid="ignore"):
            total = np.sum(x)
        finite = True if np.isfinite(total) else np.isfinite(x).all(axis=1)  # row by row only if there is a suspicion
        if not np.all(finite):
            raise InvalidDataError(
                f"{type(self).__name__} needs finite data. Received: NaN or infinite values in "
                f"{int((~finite).sum())} of {len(x)} samples, first in row {int(np.argmin(finite))}"
            )
        self.require_rows(len(x))
        return x.astype(keras.backend.standardize_dtype(self.variable_dtype), copy=False)

    def initialise(self, x):
        """Chooses the first parameters from data, by the model's seed; any earlier ones are forgotten.

        Args:
            x: array (N, features), or a finite tf.data.Dataset of batches.

        Raises:
            ValueError, InvalidDataError: as `checked`; ValueError too for what cannot be read twice.
        """
        self.start_from(self.checked(_all_samples(type(self).__name__, x)))
        self.started.assign(1)
        self.forget()

    def compile(self, optimizer=None, loss=None, **kwargs):
        """As keras.Model.compile, without optimizer and loss: the update is in closed form."""
        if optimizer is not None or loss is not None:
            raise ValueError(
                f"{type(self).__name__} learns by its own closed form and takes no optimizer and no loss. "
                f"Received: optimizer={optimizer!r}, loss={loss!r}"
            )
        self.graph_of_iterations = None
        super().compile(optimizer=None, loss=None, **kwargs)

    def fit(
        self, x=None, y=None, batch_size=None, epochs=1, verbose="auto", callbacks=None, validation_split=0.0,
        validation_data=None, *, sample_weight=None, **kwargs,
    ):  # fmt: skip
        """As keras.Model.fit; an epoch is one iteration over all samples, and fit ends when the model has converged.

        Args:
            x: array (N, features) or a data set of batches; chooses the first parameters unless they are set.
            y: labels for the metrics given to `compile`, or None; they teach nothing.
            batch_size: samples a step, None for all at once; it decides memory and time, not the result.
            epochs: most iterations.
            verbose, callbacks, validation_split, validation_data, sample_weight, **kwargs: as keras.Model.fit.
        """
        if _is_array(x):
            x = self.checked(x)
            held_back = int(len(x) * validation_split)
            if held_back:
                cut = len(x) - held_back
                parts = [(None, None) if part is None else (part[:cut], part[cut:]) for part in (x, y, sample_weight)]
                (x, held_x), (y, held_y), (sample_weight, held_weight) = parts
                validation_data, validation_split = (held_x, held_y, held_weight), 0.0
        if not value_of(self.started):
            self.initialise(x)
        watched = callbacks or verbose not in (0, "0") or validation_data is not None or kwargs
        whole = _is_array(x) and y is None and sample_weight is None and (batch_size or len(x)) >= len(x)
        if whole and not watched and may_run_unwatched(self):
            return fit_unwatched(self, x, epochs)
        if _is_array(x):
            x, y, sample_weight = self._batches(x, y, sample_weight, batch_size or len(x)), None, None
            kwargs["shuffle"] = False  # sums have no order
            steps = int(x.cardinality())
            if kwargs.get("steps_per_epoch") is None and steps % self.steps_per_execution == 0:
                # One iterator for all epochs: a new one costs 2 to 10 ms. No execution may run into the next epoch.
                kwargs["steps_per_epoch"], x = steps, x.repeat()
        if isinstance(validation_data, tuple | list) and _is_array(validation_data[0]):
            size = kwargs.pop("validation_batch_size", None) or EVALUATION_BATCH
            validation_data = self._batches(*(*validation_data, None, None)[:3], size)
        try:
            return super().fit(
                x, y, epochs=epochs, verbose=verbose, callbacks=_updating(self, callbacks),
                validation_split=validation_split, validation_data=validation_data, sample_weight=sample_weight,
                **kwargs,
            )  # fmt: skip
        except BaseException:
            self.forget()
            raise

    def train_on_batch(self, x, y=None, sample_weight=None, **kwargs):
        """One whole iteration on this batch: statistics and update."""
        if not value_of(self.started):
            self.initialise(x)
        logs = super().train_on_batch(x, y, sample_weight, **kwargs)
        self.end_epoch()
        return logs

    def evaluate(self, x=None, y=None, batch_size=None, verbose="auto", sample_weight=None, **kwargs):
        """As keras.Model.evaluate; float64 data stay float64 in a float64 model."""
        if _is_array(x):
            x, y, sample_weight = self._batches(x, y, sample_weight, batch_size or EVALUATION_BATCH), None, None
            batch_size = None
        return super().evaluate(x, y, batch_size, verbose, sample_weight, **kwargs)

    def predict(self, x, batch_size=None, verbose="auto", **kwargs):
        """As keras.Model.predict; float64 data stay float64 in a float64 model."""
        if _is_array(x):
            x, batch_size = self._batches(x, None, None, batch_size or EVALUATION_BATCH), None
        return super().predict(x, batch_size, verbose, **kwargs)

    def _batches(self, x, y, sample_weight, size):
        """A data set in the given order (sums have none); Keras's own would cast float64 to float32."""
        x = tf.convert_to_tensor(np.asarray(x).astype(keras.backend.standardize_dtype(self.variable_dtype), copy=False))
        parts = (x, y, sample_weight)
        while parts[-1] is None:
            parts = parts[:-1]
        parts = tuple(part if part is None else tf.convert_to_tensor(part) for part in parts)
        count = int(x.shape[0])
        if size >= count:
            return tf.data.Dataset.from_tensors(parts).with_options(BATCHES)
        steps = -(-count // size)

        def slices(step):
            return tuple(part if part is None else part[step * size : (step + 1) * size] for part in parts)

        return tf.data.Dataset.range(steps).map(slices).prefetch(1).with_options(BATCHES)

    def samples(self, data):
        """Unpacks a batch into x (B, features) and weights (B,) of the model's dtype, and y as it came."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        x = tf.cast(x, self.variable_dtype)
        require_rank(type(self).__name__, x.shape, 2)
        require_features(type(self).__name__, x.shape, self.features)
        weight = (
            tf.ones(tf.shape(x)[:1], x.dtype)
            if sample_weight is None
            else tf.cast(tf.reshape(sample_weight, (-1,)), x.dtype)
        )
        return x, y, weight

    def logs(self, x, y, outputs, sample_weight):
        """Metric results; the metrics of `compile` are asked only where there are labels."""
        if y is None:
            return self.get_metrics_result()
        return self.compute_metrics(x, y, outputs, sample_weight)

    @property
    def metrics(self):
        return [metric for metric in super().metrics if metric.name != "loss"]


class _UpdateAfterEpoch(keras.callbacks.Callback):
    """Comes first, so that validation and every other callback see the updated parameters."""

    def on_test_begin(self, logs=None):
        self.model.end_epoch()

    def on_epoch_end(self, epoch, logs=None):
        self.model.end_epoch()
        if self.model.converged:
            self.model.stop_training = True


def _updating(model, callbacks):
    update = _UpdateAfterEpoch()
    if isinstance(callbacks, keras.callbacks.CallbackList):
        update.set_model(model)
        others = [each for each in callbacks.callbacks if not isinstance(each, _UpdateAfterEpoch)]
        callbacks.callbacks = [update, *others]
        return callbacks
    return [update, *(callbacks if isinstance(callbacks, list | tuple) else [callbacks] if callbacks else [])]


def _is_array(x):
    return isinstance(x, np.ndarray | list | tuple) or (tf.is_tensor(x) and not isinstance(x, tf.data.Dataset))


def _all_samples(who, x):
    """Every sample of an array or of a finite tf.data.Dataset, NumPy."""
    if _is_array(x):
        return x
    if isinstance(x, tf.data.Dataset) and int(x.cardinality()) != int(tf.data.INFINITE_CARDINALITY):
        first = [keras.utils.unpack_x_y_sample_weight(batch)[0] for batch in x]
        return np.concatenate([np.asarray(part) for part in first]) if first else np.zeros((0,))
    raise ValueError(
        f"{who} starts from its data, and these can be read once only: call initialise(samples) before fit. "
        f"Received: x of type {type(x).__name__}"
    )


def value_of(variable):
    """The value of a variable as NumPy, also of one that is mirrored over replicas."""
    return np.asarray(tf.convert_to_tensor(variable.value))
