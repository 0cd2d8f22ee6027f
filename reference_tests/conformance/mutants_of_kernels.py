"""Planted bugs in kernels. `Mala` (accepts or refuses), `Unadjusted` (takes all), `LogWalk` are the correct twins."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from keras_course.inference.mcmc.draws import draw_normal, draw_uniform, split_seed
from keras_course.testing.kernel_case import Target
from reference_tests.conformance.mutant import Mutant

KERNEL_MUTANTS: list[Mutant] = []
INIT = {"step_size": 0.9}
REFUSED = (np.array([[np.nan, 0.0]]),)


def bug(words, caught_by, **example):
    def decorate(cls):
        KERNEL_MUTANTS.append(Mutant(words, "kernel", cls, caught_by, INIT, options={"refused": REFUSED, **example}))
        return cls

    return decorate


class Results(NamedTuple):
    """What `Mala` carries from step to step."""

    value: Any
    slope: Any
    is_accepted: Any


class Mala(tfp.mcmc.TransitionKernel):
    """y = w + eps^2 g / 2 + eps p, kept with probability min(1, p(y) q(w | y) / (p(w) q(y | w)))."""

    is_calibrated = True

    def __init__(self, target_log_prob_fn, step_size):
        self._parameters = {"target_log_prob_fn": target_log_prob_fn, "step_size": step_size}

    @property
    def parameters(self):
        return self._parameters

    def value_and_slope(self, w):
        value, slope = tfp.math.value_and_gradient(self.parameters["target_log_prob_fn"], w)
        return value, slope

    def bootstrap_results(self, init_state):
        value, slope = self.value_and_slope(init_state)
        if tf.executing_eagerly() and not bool(tf.reduce_all(tf.math.is_finite(value))):
            raise ValueError(f"Mala needs a start with a density. Received: {init_state!r}")
        return Results(value, slope, tf.ones_like(value, tf.bool))

    def one_step(self, current_state, previous_kernel_results, seed=None):
        noise_seed, decision_seed = split_seed(seed, 2)
        noise = self.noise(noise_seed, current_state)
        uniform = draw_uniform(decision_seed, previous_kernel_results.value)
        eps = self.parameters["step_size"]
        proposal = self.propose(current_state, previous_kernel_results.slope, eps, noise)
        value, slope = self.value_and_slope(proposal)
        ratio = self.log_ratio(previous_kernel_results, value, slope, noise, eps)
        accepted = self.accept(tf.math.log(uniform) < ratio)
        return self.choose(accepted, proposal, current_state), self.next_results(
            accepted, Results(value, slope, accepted), previous_kernel_results
        )

    def noise(self, seed, state):
        return draw_normal(seed, state)

    def propose(self, w, slope, eps, noise):
        return w + 0.5 * eps**2 * slope + eps * noise

    def log_ratio(self, here, value, slope, noise, eps):
        bent = 0.5 * eps * (here.slope + slope)
        return value - here.value - self.total(bent * (noise + 0.5 * bent), value)

    def total(self, terms, value):
        return tf.reduce_sum(terms, list(range(value.shape.rank, terms.shape.rank)))

    def accept(self, likely):
        return likely

    def choose(self, accepted, new, old):
        coordinates = [1] * (new.shape.rank - accepted.shape.rank)
        return tf.where(tf.reshape(accepted, [*tf.unstack(tf.shape(accepted)), *coordinates]), new, old)

    def next_results(self, accepted, new, old):
        value, slope = (self.choose(accepted, one, other) for one, other in zip(new[:2], old[:2], strict=True))
        return Results(value, slope, accepted)


class Unadjusted(Mala):
    """Every step taken; the bias shrinks with eps^2."""

    is_calibrated = False

    def accept(self, likely):
        return tf.ones_like(likely)


@bug("no Hastings term", "exact_draws_stay_exact")
class NoHastings(Mala):
    def log_ratio(self, here, value, slope, noise, eps):
        return value - here.value


@bug("the Hastings term upside down", "exact_draws_stay_exact")
class HastingsUpsideDown(Mala):
    def log_ratio(self, here, value, slope, noise, eps):
        plain = value - here.value
        return 2.0 * plain - super().log_ratio(here, value, slope, noise, eps)


@bug("the density is read at the old state", "exact_draws_stay_exact")
class DensityOfTheOldState(Mala):
    def log_ratio(self, here, value, slope, noise, eps):
        return super().log_ratio(here, here.value, slope, noise, eps)


@bug("the step's noise is eps^2, its acceptance eps", "exact_draws_stay_exact")
class StepSquared(Mala):
    def propose(self, w, slope, eps, noise):
        return w + 0.5 * eps**2 * slope + eps**2 * noise


@bug("accepts every proposal and says is_calibrated", "exact_draws_stay_exact")
class ClaimsToBeCalibrated(Unadjusted):
    is_calibrated = True


@bug("never moves", "exact_draws_stay_exact")
class NeverMoves(Mala):
    def accept(self, likely):
        return tf.zeros_like(likely)


@bug("the proposal's width follows the state, its density's normaliser is left out", "exact_draws_stay_exact")
class UnnormalisedProposal(Mala):
    """y ~ N(w, s(w)^2), s(w) = 0.3 + |w|: log q(w | y) - log q(y | w) also needs log s(w) - log s(y)."""

    def one_step(self, current_state, previous_kernel_results, seed=None):
        noise_seed, decision_seed = split_seed(seed, 2)
        here = self.width(current_state)
        proposal = current_state + here * draw_normal(noise_seed, current_state)
        there = self.width(proposal)
        value, slope = self.value_and_slope(proposal)
        squares = ((proposal - current_state) / here) ** 2 - ((proposal - current_state) / there) ** 2
        ratio = value - previous_kernel_results.value + self.total(0.5 * squares, value)
        accepted = tf.math.log(draw_uniform(decision_seed, value)) < ratio
        return self.choose(accepted, proposal, current_state), self.next_results(
            accepted, Results(value, slope, accepted), previous_kernel_results
        )

    def width(self, w):
        return 0.3 + tf.abs(w)


def _lengths(generator, chains):
    return generator.gamma(2.0, size=chains), {"target_log_prob_fn": lambda w: tf.math.log(w) - w}


LENGTHS = [Target("gamma of shape 2", _lengths)]


class LogWalk(Mala):
    """A random walk of log w on a positive target; its Jacobian adds log w to the log-density."""

    sign = 1.0

    def one_step(self, current_state, previous_kernel_results, seed=None):
        noise_seed, decision_seed = split_seed(seed, 2)
        proposal = current_state * tf.exp(self.parameters["step_size"] * draw_normal(noise_seed, current_state))
        value, slope = self.value_and_slope(proposal)
        log_det = self.sign * (tf.math.log(proposal) - tf.math.log(current_state))
        ratio = value - previous_kernel_results.value + log_det
        accepted = tf.math.log(draw_uniform(decision_seed, value)) < ratio
        return self.choose(accepted, proposal, current_state), self.next_results(
            accepted, Results(value, slope, accepted), previous_kernel_results
        )


@bug("the sign of a log-determinant", "exact_draws_stay_exact", targets=LENGTHS, refused=())
class SignOfLogDet(LogWalk):
    sign = -1.0


@bug("the drift goes downhill", "bias_shrinks_with_the_step", smaller={"step_size": 0.2})
class DriftDownhill(Unadjusted):
    def propose(self, w, slope, eps, noise):
        return super().propose(w, -slope, eps, noise)


@bug("the drift takes eps where eps^2 / 2 belongs", "bias_shrinks_with_the_step", smaller={"step_size": 0.2})
class DriftOfFirstOrder(Unadjusted):
    def propose(self, w, slope, eps, noise):
        return w + eps * slope + eps * noise


@bug("is_calibrated is a method", "is_calibrated_is_a_boolean")
class CalibratedMethod(Mala):
    def is_calibrated(self):
        return True


@bug("parameters lack the step", "parameters_remake_it")
class ParametersLackTheStep(Mala):
    def __init__(self, target_log_prob_fn, step_size=0.1):
        super().__init__(target_log_prob_fn, step_size)

    @property
    def parameters(self):
        return {"target_log_prob_fn": self._parameters["target_log_prob_fn"]}

    def one_step(self, current_state, previous_kernel_results, seed=None):
        whole = Mala(**self._parameters)
        return whole.one_step(current_state, previous_kernel_results, seed)


@bug("the results begin as integers and become booleans", "results_keep_their_structure")
class ResultsChange(Mala):
    def bootstrap_results(self, init_state):
        results = super().bootstrap_results(init_state)
        return results._replace(is_accepted=tf.zeros_like(results.value, tf.int32))


@bug("the acceptance of one chain is traced for all", "results_keep_their_structure")
class ScalarAcceptance(Mala):
    def next_results(self, accepted, new, old):
        return super().next_results(accepted, new, old)._replace(is_accepted=tf.reduce_any(accepted))


@bug("a call to NumPy stops every graph", "sample_chain_takes_it")
class KernelCallsNumpy(Mala):
    def noise(self, seed, state):
        return tf.constant(draw_normal(seed, state).numpy())


@bug("the seed is ignored: every step draws afresh", "one_seed_gives_one_chain")
class KernelIgnoresSeed(Mala):
    def noise(self, seed, state):
        return tf.random.normal(tf.shape(state), dtype=state.dtype)


@bug("a fixed seed: every run is the same", "one_seed_gives_one_chain")
class SeedFixed(Mala):
    def one_step(self, current_state, previous_kernel_results, seed=None):
        return super().one_step(current_state, previous_kernel_results, tf.constant([1, 2]))


@bug("a step count in Python, frozen by the graph", "eager_and_graph_agree")
class CountsSteps(Mala):
    count = 0

    def propose(self, w, slope, eps, noise):
        self.count += 1
        return super().propose(w, slope, eps / self.count, noise)


@bug("random numbers that are others under XLA", "xla_agrees_with_eager")
class GeneratorOfXla(Mala):
    def noise(self, seed, state):
        return tf.random.stateless_normal(tf.shape(state), seed, dtype=state.dtype)


@bug("a stale density: a refused proposal leaves its own behind", "a_step_depends_on_the_state_alone")
class StaleDensity(Mala):
    def next_results(self, accepted, new, old):
        return super().next_results(accepted, new, old)._replace(value=new.value)


@bug("a refused proposal still moves the state a little", "rejected_proposals_leave_the_state_unchanged")
class MovesWhenRefused(Mala):
    def choose(self, accepted, new, old):
        return super().choose(accepted, new, old + 1e-3 * (new - old))


@bug("one acceptance for all chains: a sum over the batch", "chains_do_not_touch_each_other")
class ChainsLeak(Mala):
    def total(self, terms, value):
        return tf.zeros_like(value) + tf.reduce_sum(terms) / terms.shape[0]


@bug("one noise for all chains", "chains_draw_their_own_noise")
class OneNoiseForAll(Mala):
    def noise(self, seed, state):
        return tf.zeros_like(state) + draw_normal(seed, state[0])

    def accept(self, likely):
        return tf.zeros_like(likely) | likely[0]


@bug("float32 noise in a float64 chain", "float64_is_really_float64")
class NoiseInFloat32(Mala):
    def noise(self, seed, state):
        return tf.cast(draw_normal(seed, tf.cast(state, tf.float32)), state.dtype)


@bug("a start of NaN is taken", "a_bad_start_is_refused")
class TakesAnyStart(Mala):
    def bootstrap_results(self, init_state):
        value, slope = self.value_and_slope(init_state)
        return Results(value, slope, tf.ones_like(value, tf.bool))
