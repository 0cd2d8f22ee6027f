"""What a variational autoencoder takes and refuses, and its parts as layers of their own."""

import keras
import numpy as np
import pytest

from keras_course.distributions import DistributionOutput, Normal
from keras_course.models.generative import ConditionalNetwork, StochasticLayers, VariationalAutoencoder


def built_once():
    """A tfp object, where a function that makes one is wanted."""
    import tensorflow_probability as tfp

    return tfp.distributions.MultivariateNormalDiag([0.0, 0.0], [1.0, 1.0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shape": 0}, "Received: shape=0"),
        ({"latent": 0}, "Received: latent=0"),
        ({"latent": ()}, r"Received: latent=\(\)"),
        ({"units": (4, 0)}, "Received: units="),
        ({"samples": 0}, "Received: samples=0"),
        ({"evaluation_samples": 0}, "Received: evaluation_samples=0"),
        ({"beta": -1.0}, "Received: beta=-1.0"),
        ({"family": "gamma"}, "Received: family='gamma'"),
        ({"family": Normal(5)}, "over the 6 values of x"),
        ({"family": "categorical"}, "over the 6 values of x"),
        ({"prior": Normal(3)}, "continuous Family over them"),
        ({"prior": 3}, "Received: prior=3"),
        ({"prior": built_once()}, "give a function that makes it"),
        ({"latent": (2, 1), "encoder": keras.layers.Dense(3)}, "takes a list of 2 networks as encoder"),
    ],
)
def test_bad_arguments_are_refused_with_what_came(arguments, message):
    with pytest.raises(ValueError, match=message):
        VariationalAutoencoder(**{"shape": 6, **arguments})


def test_wrong_shapes_draws_and_losses_are_refused_with_what_came():
    model = VariationalAutoencoder((2, 3))
    for call in (model, model.elbo, model.encode, model.fit):
        with pytest.raises(ValueError, match=r"x of shape \(B, 2, 3\). Received: x.shape=\(4, 6\)"):
            call(np.zeros((4, 6), "float32"))
    with pytest.raises(ValueError, match="Received: n=0"):
        model.log_prob_importance_weighted(np.zeros((4, 2, 3), "float32"), seed=1, n=0)
    with pytest.raises(ValueError, match="brings its own loss"):
        model.compile("adam", loss="mse")


def test_parts_of_the_model_come_back_from_their_configs():
    def head():
        return DistributionOutput("bernoulli", 4)

    x = np.linspace(0, 1, 18, dtype="float32").reshape(3, 6)
    for part in (
        StochasticLayers((6,), (3, 2), units=(4,), prior=Normal(2), upwards=[keras.layers.Dense(5), None]),
        ConditionalNetwork((6,), head(), units=(3,)),
        ConditionalNetwork((6,), head(), network=keras.layers.Dense(5)),
    ):
        again = type(part).from_config(part.get_config())
        assert again.get_config() == part.get_config()
        part.build()
        again.build()
        again.set_weights(part.get_weights())
        np.testing.assert_array_equal(again(x), part(x))
        assert again(x).shape == part.compute_output_shape((3, 6))
