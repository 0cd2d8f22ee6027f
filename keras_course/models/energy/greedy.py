"""Greedy training of a stack of binary layers: a restricted Boltzmann machine after the other, from below.

    h^0 = x;   level l: an RBM learns the density of h^(l-1), then h^l = P(h = 1 | h^(l-1)) is the next one's data
    P(h = 1 | v) = sigmoid(c + up v W),   P(v = 1 | h) = sigmoid(b + down W h)

Convention that bites. In a deep belief network up = down = 1. In a deep Boltzmann machine a layer will hear from above
and from below, of which its level knows one alone and counts it twice: up = 2 but for the last, down = 2 but for the
first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import require_positive_int
from keras_course.models.energy.class_units import ClassRBM
from keras_course.models.energy.rbm import RBM
from keras_course.ops.boltzmann import rbm_hidden_logits, rbm_visible_parameters

__all__ = ["trained_levels"]


class _Level(RBM):
    """A restricted Boltzmann machine whose layers hear each other so and so many times."""

    def __init__(self, *args: Any, up: float = 1.0, down: float = 1.0, **kwargs: Any) -> None:
        self.up, self.down = up, down
        super().__init__(*args, **kwargs)

    def hidden_logits(self, v: Any) -> Any:
        return rbm_hidden_logits(self.up * v, self.kernel, self.hidden_bias)

    def decode(self, h: Any) -> Any:
        return ops.sigmoid(rbm_visible_parameters(self.down * h, self.kernel, self.visible_bias))


def trained_levels(
    x: Any,
    units: Sequence[int],
    factors: Sequence[tuple[float, float]],
    epochs: int,
    batch_size: int,
    optimizer: Any,
    verbose: Any,
    one_hot: Any = None,
    **settings: Any,
) -> tuple[list[RBM], list[list[float]]]:
    """Trains the levels one after the other.

    Args:
        x: array (N, D) in [0, 1].
        units: ints, sizes of the hidden layers.
        factors: (up, down) of each level.
        epochs: int, of each level.
        batch_size: int.
        optimizer: name of an optimizer, or a function without arguments that makes one.
        verbose: as keras.Model.fit.
        one_hot: array (N, K), classes that the last level learns as class units, or None.
        **settings: of each RBM (gibbs_steps, chains, kernel_scale, dtype); `seed` is the root of theirs.

    Returns:
        Tuple (machines, the reconstruction errors of every level's epochs).
    """
    require_positive_int("pretrain", epochs=epochs, batch_size=batch_size)
    seed = settings.pop("seed")
    data, machines, errors = np.asarray(x, "float32"), [], []
    for level, (size, (up, down)) in enumerate(zip(units, factors, strict=True)):
        how = {"seed": derive_seed(seed, "pretrain", level), "name": f"level_{level}", **settings}
        if one_hot is not None and level == len(units) - 1:
            machine: RBM = ClassRBM(data.shape[1], size, one_hot.shape[1], **how)
            data = np.concatenate([data, one_hot], axis=1)
        else:
            machine = _Level(data.shape[1], size, up=up, down=down, **how)
        machine.compile(optimizer() if callable(optimizer) else optimizer)
        history = machine.fit(data, batch_size=batch_size, epochs=epochs, verbose=verbose)
        errors.append(history.history["reconstruction_error"])
        data = ops.convert_to_numpy(machine.encode(data))
        machines.append(machine)
    return machines, errors
