"""k-means: scikit-learn's Lloyd from the same centres, any batch size, its life as a Keras model, bad data."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.cluster import KMeans as PeerKMeans
from sklearn.datasets import load_digits

from keras_course.core.errors import InvalidDataError
from keras_course.core.serial import load, save_model
from keras_course.metrics.purity import Purity
from keras_course.models.latent import KMeans, unwatched_iterations


@pytest.fixture(scope="module")
def digits():
    return (load_digits().data / 16).astype("float32")


@pytest.fixture(scope="module")
def start(digits):
    return digits[:10]


def fitted(x, centres, epochs=100, batch_size=None, dtype="float32", **how):
    model = KMeans(*centres.shape, centres=centres, dtype=dtype)
    model.compile(**how)
    history = model.fit(x, epochs=epochs, batch_size=batch_size, verbose=0).history
    return model, history["inertia"]


@pytest.fixture(scope="module")
def peer(digits, start):
    return PeerKMeans(10, init=start, n_init=1, algorithm="lloyd", tol=0, max_iter=100).fit(digits)


@pytest.mark.parametrize("how", [{"jit_compile": True}, {}, {"run_eagerly": True}])
def test_assignments_and_inertia_are_those_of_scikit_learn(digits, start, peer, how):
    model, inertia = fitted(digits, start, **how)
    assert np.array_equal(model.predict(digits, verbose=0), peer.labels_)
    assert np.isclose(model.evaluate(digits, verbose=0) * len(digits), peer.inertia_, rtol=1e-5)
    assert len(inertia) == peer.n_iter_


@pytest.mark.parametrize("batch_size", [100, 999])
def test_any_batch_size_gives_the_same_iterations(digits, start, peer, batch_size):
    model, inertia = fitted(digits, start, batch_size=batch_size)
    assert np.allclose(model.centres, peer.cluster_centers_, atol=1e-5)
    assert len(inertia) == peer.n_iter_


def test_inertia_never_rises_and_the_last_step_stands_still(digits, start):
    inertia = fitted(digits, start, dtype="float64")[1]
    assert np.all(np.diff(inertia) <= 1e-12)
    assert inertia[-1] == pytest.approx(inertia[-2], rel=1e-3)


def test_validation_sees_the_updated_centres(digits, start):
    model = KMeans(10, 64, centres=start)
    model.compile()
    history = model.fit(digits, epochs=2, validation_data=(digits,), verbose=0).history
    assert history["val_inertia"][0] == pytest.approx(history["inertia"][1], rel=1e-6)


def test_held_back_samples_teach_nothing(digits, start):
    model = KMeans(10, 64, centres=start)
    model.compile()
    history = model.fit(digits, epochs=1, validation_split=0.5, verbose=0).history
    assert "val_inertia" in history
    half = fitted(digits[: len(digits) - len(digits) // 2], start, epochs=1)[0]
    assert np.allclose(model.centres, half.centres, atol=1e-6)


def test_one_train_on_batch_is_one_epoch(digits, start):
    model = KMeans(10, 64, centres=start)
    model.compile()
    model.train_on_batch(digits)
    assert np.allclose(model.centres, fitted(digits, start, epochs=1)[0].centres, atol=1e-6)


def test_a_data_set_of_batches_trains_as_the_array_does(digits, start):
    model = KMeans(10, 64)
    model.compile()
    batches = tf.data.Dataset.from_tensor_slices(digits).batch(256)
    model.fit(batches, epochs=1, verbose=0)
    other = KMeans(10, 64)
    other.compile()
    other.fit(digits, epochs=1, verbose=0)
    assert np.allclose(model.centres, other.centres, atol=1e-5)


def test_seeded_starts_repeat_and_differ_by_seed(digits):
    starts = []
    for seed in (0, 0, 1):
        model = KMeans(10, 64, seed=seed)
        model.initialise(digits)
        starts.append(model.centres.numpy())
    assert np.array_equal(starts[0], starts[1]) and not np.array_equal(starts[0], starts[2])
    assert all(any(np.array_equal(centre, row) for row in digits) for centre in starts[0])


def test_an_empty_cluster_stays_and_the_fit_ends():
    x = np.array([[0.0], [1.0], [2.0]])
    model = fitted(x, np.array([[0.0], [90.0]]), dtype="float64")[0]
    assert model.centres.numpy().tolist() == [[1.0], [90.0]]


def test_sample_weights_count_as_copies(digits, start):
    weight = np.arange(len(digits)) % 3
    model = KMeans(10, 64, centres=start)
    model.compile()
    model.fit(digits, epochs=3, sample_weight=weight.astype("float32"), verbose=0)
    copies = fitted(np.repeat(digits, weight, axis=0), start, epochs=3)[0]
    assert np.allclose(model.centres, copies.centres, atol=1e-5)


def test_labels_are_for_metrics_alone(digits, start):
    model = KMeans(10, 64, centres=start)
    model.compile(metrics=[Purity(10, 10)])
    labels = load_digits().target
    history = model.fit(digits, labels, epochs=20, verbose=0).history
    assert 0.7 < history["purity"][-1] < 1.0
    assert model.evaluate(digits, labels, verbose=0, return_dict=True)["purity"] > 0.7


def test_a_saved_model_goes_on_where_it_stopped(digits, start, tmp_path):
    model, _ = fitted(digits, start, epochs=3)
    save_model(model, tmp_path / "model.keras")
    again = load(tmp_path / "model.keras")
    for each in (model, again):
        each.fit(digits, epochs=2, verbose=0)
    assert np.array_equal(model.centres, again.centres)


def test_an_interrupted_epoch_leaves_no_trace(digits, start):
    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise KeyboardInterrupt

    model = KMeans(10, 64, centres=start)
    model.compile()
    with pytest.raises(KeyboardInterrupt):
        model.fit(digits, batch_size=100, callbacks=[Interrupt()], verbose=0)
    assert np.array_equal(model.centres, start)
    model.fit(digits, epochs=1, verbose=0)
    assert np.allclose(model.centres, fitted(digits, start, epochs=1)[0].centres, atol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_among_the_data_is_one_clear_error_and_moves_nothing(digits, start, bad):
    x = digits.copy()
    x[17, 3] = bad
    model = KMeans(10, 64, centres=start)
    model.compile()
    with pytest.raises(InvalidDataError, match="1 of 1797 samples, first in row 17"):
        model.fit(x, verbose=0)
    with pytest.raises(InvalidDataError, match="finite data"):
        model.fit(tf.data.Dataset.from_tensor_slices(x).batch(500), verbose=0)
    assert np.array_equal(model.centres, start)


def test_fewer_samples_than_clusters_is_one_clear_error():
    model = KMeans(10, 2)
    model.compile()
    with pytest.raises(InvalidDataError, match="10 clusters needs at least as many samples. Received: 5 samples"):
        model.fit(np.zeros((5, 2)), verbose=0)


def test_wrong_arguments_are_refused_with_what_came(digits):
    with pytest.raises(ValueError, match="clusters=0"):
        KMeans(0, 2)
    with pytest.raises(ValueError, match="tolerance=-1"):
        KMeans(1, 2, tolerance=-1)
    with pytest.raises(ValueError, match=r"shape \(3, 2\)"):
        KMeans(2, 2, centres=np.zeros((3, 2)))
    model = KMeans(2, 3)
    with pytest.raises(ValueError, match="no optimizer"):
        model.compile("sgd")
    model.compile()
    with pytest.raises(ValueError, match="3 features"):
        model.fit(digits, verbose=0)
    with pytest.raises(ValueError, match="initialise"):
        model.fit(iter([np.zeros((4, 3))]), verbose=0)


def test_weights_that_are_all_zero_are_refused(digits, start):
    model = KMeans(10, 64, centres=start)
    model.compile()
    with pytest.raises(InvalidDataError, match="positive sum"):
        model.fit(digits, sample_weight=np.zeros(len(digits), "float32"), verbose=0)
    assert np.array_equal(model.centres, start)


@pytest.mark.parametrize("how", [{"jit_compile": True}, {}, {"run_eagerly": True}])
def test_a_sample_between_two_centres_counts_once_and_with_the_first(how):
    x = np.array([[0.0], [2.0], [1.0], [1.0], [5.0]])
    model = KMeans(4, 1, centres=[[0.0], [2.0], [2.0], [0.0]], dtype="float64")  # their mean, 1, rounds nothing
    model.compile(**how)
    model.fit(x, epochs=1, verbose=0)
    assert np.allclose(model.centres, [[2 / 3], [3.5], [2.0], [0.0]])


@pytest.mark.parametrize("how", [{"jit_compile": True}, {}])
def test_iterations_that_nobody_watches_are_those_that_somebody_watches(digits, start, how, monkeypatch):
    monkeypatch.setattr(unwatched_iterations, "MOST_IN_A_CALL", 4)
    unwatched, inertia = fitted(digits, start, **how)
    watched = KMeans(10, 64, centres=start)
    watched.compile(**how)
    history = watched.fit(digits, epochs=100, verbose=0, callbacks=[keras.callbacks.Callback()])
    assert len(inertia) > 4 and history.epoch == unwatched.history.epoch == list(range(len(inertia)))
    assert np.array_equal(unwatched.centres, watched.centres) and unwatched.converged and unwatched.stop_training
    assert np.array_equal(inertia, history.history["inertia"])
    assert not unwatched.sums.numpy().any()


def test_sums_that_overflow_are_refused_in_one_graph_too(digits, start):
    model = KMeans(10, 64, centres=start)
    model.compile()
    with pytest.raises(InvalidDataError, match="infinite values in the sum of"):
        model.fit(digits * np.float32(1e30), epochs=3, verbose=0)
    assert np.array_equal(model.centres, start) and not model.sums.numpy().any()
