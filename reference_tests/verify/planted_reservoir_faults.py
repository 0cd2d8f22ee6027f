"""Classic mistakes in reservoirs; every one must turn a golden of its system red."""

from keras import ops

from keras_course.layers.recurrent import Reservoir, ReservoirCell, SpikingReservoir, SpikingReservoirCell
from keras_course.ops.integrate_and_fire import integrate_and_fire_step
from keras_course.ops.reservoir import intrinsic_plasticity_step, leaky_step


class _LeakTheOtherWay(ReservoirCell):
    def step(self, projected, states, noise=None):
        kernel, gain = self.state_kernel, ops.convert_to_tensor(self.gain)
        return [leaky_step(projected, *states, kernel, 1 - self.leak, self.leak_form, self.activation, gain)]


class OtherLeak(Reservoir):
    cell_class = _LeakTheOtherWay


class _SpikesOfNextStep(SpikingReservoirCell):
    """Inhibition with the time constant of excitation."""

    def step(self, projected, states, noise=None):
        self.decays = {**self.decays, "inhibition": self.decays["excitation"]}
        return super().step(projected, states, noise)


class OneTimeConstant(SpikingReservoir):
    cell_class = _SpikesOfNextStep


def norm_for_the_radius(matrix, squarings=60):
    return ops.max(ops.svd(matrix, compute_uv=False))


def uphill(x, y, gain, bias, mean, rate):
    moved = intrinsic_plasticity_step(x, y, gain, bias, mean, rate)
    return tuple(2 * old - new for old, new in zip((gain, bias), moved, strict=True))


def no_rest(v, resting, current, decay, **settings):
    return integrate_and_fire_step(v, resting, current, decay, **{**settings, "refractory": 0})


RESERVOIR_FAULTS = {
    "leak the other way round": ("echo-state-network.Reservoir", OtherLeak),
    "norm in place of the spectral radius": ("echo-state-network.spectral_radius", norm_for_the_radius),
    "plasticity uphill": ("echo-state-network.intrinsic_plasticity_step", uphill),
    "one time constant for both synapses": ("liquid-state-machine.SpikingReservoir", OneTimeConstant),
    "no refractory period": ("liquid-state-machine.integrate_and_fire_step", no_rest),
}
