"""How likely a deep belief network finds its data: exactly where it is small, by bounds and draws where it is not.

    log P(x)    = log sum_h P(x | h^1) .. P_top(h^(L-1)),         P_top(h) = sum_k P_top(h, y = k) with class units
    log P(x, y) = the same with P_top(h^(L-1), y)
    bound:        E_Q [log P_top + sum_l log P(h^(l-1) | h^l) - log Q(h^l | h^(l-1))]

Convention that bites. Q hears x alone, never y: so the bound on log P(x, y) is further away than that on log P(x),
wherever h tells the class.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from keras_course.core.seeds import seed_pair
from keras_course.core.shapes import require_positive_int
from keras_course.models.class_labels import one_hot_classes
from keras_course.models.energy.annealing import LogPartition
from keras_course.models.energy.chains import decision_noise
from keras_course.ops.class_units import joint_log_probs
from keras_course.ops.deep_belief import belief_bound, belief_log_prob, belief_log_weight

__all__ = ["BeliefDensity"]


class BeliefDensity:
    """Densities of a model of directed layers under a top machine; to be inherited before `BinaryMachine`.

    Attributes:
        generative: pairs (kernel, bias) downwards.
        recognition: pairs (kernel, bias) upwards.
        top: `RBM`, or `ClassRBM` with classes.
        classes: int K, or None.

    Source: R; Hinton, Osindero and Teh 2006.
    """

    generative: Any
    recognition: Any
    top: Any
    classes: int | None
    units: list[int]
    wide_dtype: str
    states_of: Any
    recognised: Any
    require_told: Any

    def log_partition(self) -> Any:
        """log Z of the top, exact, where a side of it has at most 20 units (those of a class not counted)."""
        return self.top.log_partition()

    def annealed_log_partition(self, steps: int = 1000, chains: int = 100, seed: int = 0) -> LogPartition:
        """log Z of the top by annealed importance sampling, with an interval: see `models.energy.annealing`."""
        return self.top.annealed_log_partition(steps, chains, seed)

    def log_prob(self, x: Any, y: Any = None) -> Any:
        """log P(x), or log P(x, y) for classes y (B,); (B,), nats, exact: for directed layers of at most 12 units."""
        return self._of_class(belief_log_prob(self.states_of(x), self.generative, self._log_top(y)), y)

    def bound(self, x: Any, y: Any = None) -> Any:
        """The variational bound on `log_prob`, (B,), exact: for directed layers of at most 12 units."""
        found = belief_bound(self.states_of(x), self.generative, self.recognition, self._log_top(y))
        return self._of_class(found, y)

    def sampled_bound(
        self,
        x: Any,
        seed: Any,
        samples: int = 10,
        log_partition: Any = None,
        together: bool = False,
        y: Any = None,
    ) -> Any:
        """The bound on log P(x), or on log P(x, y), from draws of Q, (B,), nats.

        Args:
            x: tensor (B, D).
            seed: int, or integer tensor (2,).
            samples: int K, draws for each x.
            log_partition: scalar, log Z of the top; None is the exact one.
            together: False for the mean of K log-weights, whose expectation is `bound`; True for the log of the mean
                of K weights, whose expectation lies between the bound and `log_prob`.
            y: integer tensor (B,), classes, or None.
        """
        require_positive_int("sampled_bound", samples=samples)
        log_partition = self.log_partition() if log_partition is None else log_partition
        x = ops.tile(self.states_of(x), (samples, 1))  # (K B, D)
        noise = decision_noise(ops.shape(x)[0], tuple(self.units[:-1]), seed_pair(seed), self.wide_dtype)
        top = self._log_top(y, log_partition)
        found = belief_log_weight(self.recognised(x, noise), self.generative, self.recognition, top, log_partition)
        found = ops.reshape(self._of_class(found, None if y is None else ops.tile(y, (samples,))), (samples, -1))
        return ops.logsumexp(found, axis=0) - float(np.log(samples)) if together else ops.mean(found, axis=0)

    def _log_top(self, y: Any, log_partition: Any = None) -> Any:
        """The top as `ops.deep_belief` takes it: of every class where y is told, else with classes summed out."""
        if y is not None:
            self.require_told("densities of (x, y)")
        if self.classes is None:
            return self.top.parameters

        def each(h: Any) -> Any:
            return joint_log_probs(h, *self.top.class_parameters, log_partition)  # (K, ...)

        return each if y is not None else lambda h: ops.logsumexp(each(h), axis=0)

    def _of_class(self, found: Any, y: Any) -> Any:
        """Each example's own class of (K, B)."""
        if y is None:
            return found
        return ops.sum(ops.transpose(found) * one_hot_classes("DBN", y, self.classes, found.dtype), axis=-1)
