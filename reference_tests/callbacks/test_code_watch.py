"""What breaks a model with codes is named: networks that give no numbers, sigmas that vanish, codes without use."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_course.callbacks import (
    CodeWatch,
    DecoderScaleCollapse,
    PosteriorCollapse,
    ScaleCollapse,
    TrainingReport,
    code_report,
)
from keras_course.core.errors import NonFiniteLossError
from keras_course.distributions import Normal
from keras_course.models.generative import DRAW, VariationalAutoencoder

X = np.random.Generator(np.random.Philox(4)).normal(size=(40, 3)).astype("float32")


class Breaks(keras.layers.Layer):
    """The identity, until its weight, which gradients raise, is above a limit; then NaN."""

    def __init__(self, limit, **kwargs):
        super().__init__(**kwargs)
        self.limit = limit
        self.drift = self.add_weight(shape=(), initializer="zeros", name="drift")

    def call(self, x):
        x = keras.ops.maximum(x, -1e6)
        return tf.where(self.drift > self.limit, x * float("nan"), x) + 0.0 * self.drift


def model(**arguments):
    made = VariationalAutoencoder(**{"shape": 3, "units": (4,), "family": "normal", "name": "toy", **arguments})
    made.compile(keras.optimizers.SGD(1e-3))
    return made


def quiet_fit(made, **how):
    with warnings.catch_warnings():
        warnings.simplefilter("error", TrainingReport)
        return made.fit(X, verbose=0, **how)


def test_a_healthy_training_is_let_alone_and_its_units_are_counted():
    made, watch = model(), CodeWatch(X)
    made.codes.encoders[0].head.projection.kernel.assign(np.eye(4, 4))
    quiet_fit(made, epochs=2, callbacks=[watch])
    assert watch.history["active_units"] == [2, 2] and watch.reported == {}
    assert 0.1 < watch.history["decoder_scale"][0] < 10
    found = code_report(made, X)
    assert found.divergence.shape == (2,) and found.active.tolist() == [True, True]
    made.codes.encoders[0].head.projection.kernel.assign(np.eye(4, 4) * [1, 0, 1, 1])
    assert code_report(made, X).active.tolist() == [True, False]


@pytest.mark.parametrize("which", ["encoder", "decoder"])
def test_the_network_and_the_layer_that_give_no_numbers_are_named_by_a_plain_fit(which):
    network = keras.Sequential([keras.layers.Dense(4, name="fine"), Breaks(-1.0, name="breaks")])
    made = model(**{which: network})
    before = made.get_weights()
    wanted = f"step 1: first non-finite tensor is the output of the layer .*breaks, so .* of the {which} of 'toy'"
    with pytest.raises(NonFiniteLossError, match=wanted):
        made.fit(X, epochs=2, verbose=0)
    for kept, value in zip(made.get_weights(), before, strict=True):
        np.testing.assert_array_equal(kept, value)


def test_a_step_that_is_too_long_names_the_part_and_keeps_finite_weights():
    made = model()
    made.compile(keras.optimizers.SGD(1e30))
    with pytest.raises(NonFiniteLossError, match="coder of 'toy'; the weights from the beginning of the epoch"):
        made.fit(X, epochs=3, verbose=0)
    assert all(np.all(np.isfinite(weight)) for weight in made.get_weights())


@pytest.mark.parametrize("which", ["decoder", "encoder"])
def test_a_sigma_that_collapses_is_named_with_its_place_once(which):
    made = model(**({"family": Normal(3, minimum_scale=1e-7)} if which == "decoder" else {}))
    made.compile(keras.optimizers.SGD(0.0))
    head = (made.decoder if which == "decoder" else made.codes.encoders[0]).head
    half = head.family.event_size
    bias = head.projection.bias.numpy()
    bias[half + 1] = -30.0  # softplus(-30) = 1e-13
    head.projection.bias.assign(bias)
    head.projection.kernel.assign(0 * head.projection.kernel)
    where = "at value 1 of x" if which == "decoder" else "the code is no longer"
    with pytest.warns(ScaleCollapse, match=f"'toy', epoch 1: sigma of the {which} has collapsed: .*{where}") as caught:
        made.fit(X, epochs=3, verbose=0)
    assert sum(issubclass(each.category, ScaleCollapse) for each in caught) == 1


def test_a_pixel_that_never_changes_drives_a_gaussian_decoder_into_the_report():
    """The unbounded likelihood itself: sigma of the constant pixel falls until it is named."""
    x = np.repeat(X, 20, axis=0)
    x[:, 2] = 0.5
    made = VariationalAutoencoder(3, latent=1, units=(), family=Normal(3, minimum_scale=1e-6))
    made.compile(keras.optimizers.Adam(0.1))
    with pytest.warns(DecoderScaleCollapse, match="sigma of the decoder has collapsed: .* at value 2 of x"):
        made.fit(x, epochs=12, batch_size=40, verbose=0, callbacks=[CodeWatch(x, least=0.3)])


def test_a_code_that_says_nothing_for_long_is_named_and_one_early_epoch_of_it_is_not():
    made = model()
    made.compile(keras.optimizers.SGD(0.0))
    made.codes.encoders[0].head.projection.kernel.assign(np.zeros((4, 4)))
    quiet_fit(made, epochs=2, callbacks=[CodeWatch(X, patience=3)])
    with pytest.warns(PosteriorCollapse, match="none of 2 code units was active in 3 epochs"):
        made.fit(X, epochs=3, verbose=0, callbacks=[CodeWatch(X, patience=3)])


def test_strokes_have_units_of_their_own():
    made = DRAW((2, 2), steps=3, latent=2, units=3)
    x = (X[:16, :2, None] > [0.0, 0.5]).astype("float32")
    found = code_report(made, x)
    assert found.active.shape == (6,) and found.decoder_scale is None and found.pixel is None
    of_each = made.code_statistics(x)["divergence"].numpy()
    np.testing.assert_allclose(found.divergence.sum(), of_each.sum() / 16, rtol=1e-5)


def test_bad_arguments_are_refused_with_what_came():
    for arguments in ({"least": 0.0}, {"patience": 0}):
        with pytest.raises(ValueError, match=f"Received: {next(iter(arguments))}="):
            CodeWatch(X, **arguments)
