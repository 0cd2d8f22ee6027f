"""ContrastiveLearning: its loss by brute force, views that repeat, features without the projector."""

import math

import keras
import numpy as np
import pytest

from keras_course.core.seeds import stateless_seed, uniform_noise
from keras_course.layers import RandomRotation, RandomShift
from keras_course.models.selfsupervised import ContrastiveLearning
from keras_course.ops.contrastive import nt_xent

X = np.random.default_rng(0).uniform(size=(12, 6, 6, 1)).astype("float32")


def made(augmentation=None, **how):
    augmentation = augmentation or [RandomShift(1.0, seed=0), RandomRotation(0.5, seed=0)]
    arguments = {"projector": (5, 3), "temperature": 0.3, "seed": 1, **how}
    model = ContrastiveLearning((6, 6, 1), ((4,), (5,)), augmentation, **arguments)
    model.compile(keras.optimizers.Adam(0.01), run_eagerly=True)
    return model


def test_evaluate_is_nt_xent_of_the_embeddings_of_two_views():
    model = made()
    first, second = model.views(X, stateless_seed(1, "evaluation", 0))
    embeddings = [np.asarray(model.embed(view)) for view in (first, second)]
    found = model.evaluate(X, batch_size=12, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(np.mean(nt_xent(*embeddings, 0.3)), rel=1e-5)
    assert found["alignment"] == pytest.approx(np.mean(np.sum(embeddings[0] * embeddings[1], -1)), rel=1e-5)
    for one in embeddings:
        assert np.allclose(np.linalg.norm(one, axis=1), 1, atol=1e-6)


def test_views_repeat_with_the_step_and_differ_between_steps_rows_and_views():
    model = made()
    same = np.repeat(X[:1], 3, axis=0)
    first, second = (np.asarray(view) for view in model.views(same, model.step_seed("views")))
    again = np.asarray(model.views(same, model.step_seed("views"))[0])
    assert np.array_equal(first, again)
    assert not np.allclose(first, second, atol=0.01) and not np.allclose(first[0], first[1], atol=0.01)
    model.optimizer.iterations.assign(1)
    assert not np.allclose(first, model.views(same, model.step_seed("views"))[0], atol=0.01)


def test_distortions_come_from_the_models_seed_and_not_from_the_layers_own():
    one, other = made([RandomShift(2.0, seed=5)]), made([RandomShift(2.0, seed=6)])
    for a, b in zip(one.views(X, [3, 4]), other.views(X, [3, 4]), strict=True):
        assert np.array_equal(a, b)


def test_layers_are_applied_in_the_order_of_the_list():
    _, second = made().views(X, [7, 8])
    shift, turn = RandomShift(1.0), RandomRotation(0.5)
    uniforms = np.asarray(uniform_noise((12, 6), [7, 8]))
    wanted = turn(shift(X, uniforms[:, 3:5]), uniforms[:, 5:6])
    assert np.allclose(second, wanted, atol=1e-6)


def test_training_leaves_chance_behind_and_keeps_pairs_together():
    """Chance is log(2N - 1): what embeddings cost that are all alike."""
    arguments = {"projector": (8, 4), "temperature": 0.3, "seed": 1}
    model = ContrastiveLearning((6, 6, 1), ((8,), (8,)), RandomShift(0.5, seed=0), **arguments)
    model.compile(keras.optimizers.Adam(0.02), jit_compile=False)
    history = model.fit(X, batch_size=12, epochs=60, verbose=0).history
    assert history["loss"][0] == pytest.approx(math.log(23), abs=0.05)
    assert history["loss"][-1] < math.log(23) - 0.4 and history["alignment"][-1] > 0.85


def test_features_know_nothing_of_the_projector():
    model = made()
    before, embedded = np.asarray(model.encode(X)), np.asarray(model.embed(X))
    for weight in model.projector.trainable_variables:
        weight.assign(2.0 * weight + 1.0)
    assert np.array_equal(before, model.encode(X)) and np.array_equal(before, model(X))
    assert not np.allclose(embedded, model.embed(X), atol=1e-3)


def test_similarity_of_an_image_with_itself_is_one_and_the_matrix_is_symmetric():
    cosines = np.asarray(made().similarity(X, X))
    assert cosines.shape == (12, 12)
    assert np.allclose(np.diag(cosines), 1, atol=1e-6) and np.allclose(cosines, cosines.T, atol=1e-6)


def test_weights_of_rows_scale_their_own_losses():
    weights = np.r_[np.zeros(6), 2 * np.ones(6)].astype("float32")
    model = made()
    first, second = model.embeddings(X, stateless_seed(1, "evaluation", 0))
    wanted = np.mean(weights * np.asarray(nt_xent(first, second, 0.3)))
    found = model.evaluate(X, np.zeros(12), sample_weight=weights, batch_size=12, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(wanted, rel=1e-5)


def test_a_last_batch_of_one_has_no_wrong_answers_and_leaves_weights_finite():
    model = made()
    model.fit(X, batch_size=11, verbose=0)
    assert all(np.all(np.isfinite(weight)) for weight in model.get_weights())
    assert model.evaluate(X[:1], verbose=0, return_dict=True)["loss"] == pytest.approx(0.0, abs=1e-5)


def test_vectors_have_views_too_where_a_layer_makes_them():
    """Any layer with draws(shape) that takes (x, uniforms): here noise on rows of features."""

    class Jitter(keras.layers.Layer):
        def draws(self, shape):
            return shape[-1]

        def call(self, x, uniforms):
            return x + 0.1 * (uniforms - 0.5)

    trunk = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model = ContrastiveLearning(4, trunk, Jitter(), projector=2)
    first, second = model.views(np.zeros((5, 4), "float32"), [1, 2])
    assert 0 < np.max(np.abs(first - second)) < 0.1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"augmentation": []}, r"an Augmentation layer, or a list of them. Received: augmentation=\[\]"),
        ({"augmentation": keras.layers.Dropout(0.5)}, "needs an Augmentation layer"),
        ({"temperature": 0}, "temperature above 0. Received: temperature=0"),
        ({"projector": ()}, "projector"),
        ({"trunk": 7}, "trunk=7"),
    ],
)
def test_what_makes_no_contrast_is_refused(change, message):
    arguments = {"shape": (6, 6, 1), "trunk": ((4,),), "augmentation": RandomShift(1.0), **change}
    with pytest.raises(ValueError, match=message):
        ContrastiveLearning(**arguments)


def test_a_loss_of_yours_and_other_shapes_are_refused():
    with pytest.raises(ValueError, match="brings its own loss. Received: loss='mse'"):
        made().compile("adam", loss="mse")
    with pytest.raises(ValueError, match=r"expects x of shape \(B, 6, 6, 1\). Received: x.shape=\(2, 5, 5, 1\)"):
        made().encode(np.zeros((2, 5, 5, 1)))
