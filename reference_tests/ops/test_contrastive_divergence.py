"""The contrast of free energies against automatic differentiation of each free energy, in float64."""

import numpy as np
import pytest
from keras import ops

from keras_course.core.backend import gradient
from keras_course.ops.boltzmann import rbm_free_energy, rbm_hidden_logits
from keras_course.ops.contrastive_divergence import free_energy_contrast

DRAWS = np.random.Generator(np.random.Philox(1))


@pytest.mark.parametrize("scale", [None, 0.7, np.array([0.5, 1.0, 1.5, 2.0])])
def test_the_written_slopes_are_those_of_the_weighted_free_energies(scale):
    """Shares that do not sum to zero, a slope of 3 behind: a forgotten term of either would show."""
    v, shares = DRAWS.normal(size=(7, 4)), DRAWS.normal(size=7)
    parameters = [DRAWS.normal(size=size) for size in ((4, 3), (4,), (3,))]

    def autodiff(*at):
        return 3.0 * ops.sum(shares * rbm_free_energy(v, *at, scale))

    def written(*at):
        logits = rbm_hidden_logits(v, parameters[0], parameters[2], scale)
        return 3.0 * free_energy_contrast(v, logits, shares, *at, scale)

    np.testing.assert_allclose(float(written(*parameters)), float(autodiff(*parameters)), rtol=1e-12)
    for place, parameter in enumerate(parameters):
        before, after = parameters[:place], parameters[place + 1 :]
        found, wanted = (
            np.asarray(gradient(lambda x, of=of, before=before, after=after: of(*before, x, *after), parameter))
            for of in (written, autodiff)
        )
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-12)


def test_extreme_log_odds_give_finite_energies_of_the_right_size():
    logits = np.array([[-200.0, -20.0, 0.0, 20.0, 200.0]], "float32")
    found = free_energy_contrast(np.zeros((1, 2), "float32"), logits, [1.0], np.zeros((2, 5)), np.zeros(2), np.zeros(5))
    np.testing.assert_allclose(float(found), -np.logaddexp(0, logits.astype("float64")).sum(), rtol=1e-6)
