"""Classic mistakes in deep energy models; every one must turn a golden of its system red."""

from keras import ops

from keras_course.models.energy.energy_model import EnergyModel
from keras_course.ops.energy_models import conjunction_energy, energy_contrast, negation_energy


class DownhillInDensity(EnergyModel):
    """grad E where -grad E belongs."""

    def score(self, x):
        return -super().score(x)


class BaseWithoutItsHalf(EnergyModel):
    """|x|^2 / s^2."""

    def class_energies(self, x, training=False):
        flat = ops.reshape(x, (ops.shape(x)[0], -1))
        return super().class_energies(x, training) + ops.sum(flat**2, axis=-1, keepdims=True) / (2 * self.base_scale**2)


def samples_over_data(data, model):
    """The contrast with its sign turned round."""
    return -energy_contrast(data, model)


def either_for_both(energies):
    """A sum of densities where their product belongs."""
    return -ops.logsumexp(-ops.convert_to_tensor(energies), axis=-1)


def densities_summed_as_energies(energies):
    """A conjunction where the disjunction belongs."""
    return conjunction_energy(energies)


def negated_energy_added(kept, negated, strength=1.0):
    return negation_energy(kept, negated, -strength)


ENERGY_FAULTS = {
    "downhill in density": ("energy-model", DownhillInDensity),
    "base without its half": ("energy-model", BaseWithoutItsHalf),
    "samples over data": ("energy-model.energy_contrast", samples_over_data),
    "either concept for both": ("energy-model.conjunction_energy", either_for_both),
    "both concepts for either": ("energy-model.disjunction_energy", densities_summed_as_energies),
    "negated energy added": ("energy-model.negation_energy", negated_energy_added),
}
