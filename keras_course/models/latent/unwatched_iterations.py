"""Many iterations of a closed-form model in one graph, where nobody looks in between.

    while not converged:  sums <- train_step(all samples);  parameters <- update(sums);  sums <- 0

The same methods in the same order as under `fit`, and so the same bits; what is left out is Keras's work around each
epoch (an iterator, callbacks, a call of the graph), which takes as long as an iteration over some 20,000 samples. With
a callback, output, validation, several batches or replicas, or eager execution, `fit` goes on epoch by epoch.
"""

import keras
import tensorflow as tf

from keras_course.core.tracking import require_tracked

MOST_IN_A_CALL = 64  # iterations; during a call no interrupt from the keyboard gets through


def may_run_unwatched(model):
    """Whether a `ClosedFormTraining` can: compiled, its update written in tensors, one replica, no limits of Keras's.

    Args:
        model: the model.

    Returns:
        bool.
    """
    one_replica = model.distribute_strategy.num_replicas_in_sync == 1
    unlimited = keras.config.max_epochs() is None and keras.config.max_steps_per_epoch() is None
    return model.updates_in_graph and model.compiled and not model.run_eagerly and one_replica and unlimited


def fit_unwatched(model, x, epochs):
    """`fit` on one batch of all samples; the same numbers and the same History.

    Args:
        model: a `ClosedFormTraining` that has parameters to start from.
        x: array (N, features), checked.
        epochs: most iterations.

    Returns:
        keras.callbacks.History, an epoch an iteration.

    Raises:
        InvalidDataError: if sums were not finite; the parameters stay as they were before that iteration.
    """
    require_tracked(model)
    if model.graph_of_iterations is None:
        model.graph_of_iterations = tf.function(
            lambda x, most: iterate(model, x, most), autograph=False, reduce_retracing=True
        )
    callbacks = keras.callbacks.CallbackList(None, add_history=True, verbose=0, epochs=epochs, steps=1, model=model)
    model.stop_training = False
    callbacks.on_train_begin()
    x, epoch, logs = tf.convert_to_tensor(x), 0, {}
    try:
        while epoch < epochs and not model.stop_training:
            count, converged, found = model.graph_of_iterations(x, tf.constant(min(epochs - epoch, MOST_IN_A_CALL)))
            model.end_epoch()  # sums that cannot be used are still there, and it says why
            model.converged = model.stop_training = bool(converged)
            found = {name: values.numpy() for name, values in found.items()}
            for i in range(int(count)):
                logs = {name: float(values[i]) for name, values in found.items()}
                callbacks.on_epoch_begin(epoch)
                callbacks.on_epoch_end(epoch, logs)
                epoch += 1
    except BaseException:
        model.forget()
        raise
    callbacks.on_train_end(logs)
    return model.history


def iterate(model, x, most):
    """Up to `most` iterations, `train_step` and `update` in turn, as a graph.

    Args:
        model: the model.
        x: tensor (N, features).
        most: int32 scalar tensor.

    Returns:
        How many there were, whether the parameters have converged, {metric: vector of its values}. Sums that are not
        finite, or of no weight, end it and are left for `end_epoch` to refuse.
    """

    def update():
        converged = model.update(model.sums_by_name())
        model.forget()
        return converged

    def iteration(i, _, logs):
        model.reset_metrics()
        found = model.train_step((x,))
        sound = tf.reduce_all(tf.math.is_finite(model.sums)) & (tf.reduce_sum(model.sums_by_name()["sizes"]) > 0)
        converged = tf.cond(sound, update, lambda: True)
        return i + 1, converged, {name: logs[name].write(i, found[name]) for name in logs}

    logs = {
        metric.name: tf.TensorArray(metric.dtype, size=0, dynamic_size=True, element_shape=())
        for metric in model.metrics
    }
    count, converged, logs = tf.while_loop(
        lambda i, converged, _: (i < most) & ~converged, iteration, (0, tf.constant(False), logs)
    )
    return count, converged, {name: values.stack() for name, values in logs.items()}
