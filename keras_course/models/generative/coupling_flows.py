"""NICE and Real NVP: normalizing flows of coupling layers.

NICE       additive couplings, even and odd places in turn, then one scale a number; logistic codes
Real NVP   affine couplings with ActNorm between them, Gaussian codes; for images the multi-scale form:
           couplings on a checkerboard, squeeze, couplings of channel halves, half of the channels leave; again
"""

from __future__ import annotations

from typing import Any

from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import require_positive_int
from keras_course.layers.flows import (
    ActNorm,
    AdditiveCoupling,
    AffineCoupling,
    FactorOut,
    FlowLayer,
    LogitTransform,
    Squeeze,
)
from keras_course.models.generative.normalizing_flow import NormalizingFlow

__all__ = ["NICE", "RealNVP"]


@register("NICE")
class NICE(NormalizingFlow):
    """A flow of shifts: only its last layer, a scale a number, changes volumes.

        h_1 = x,   h_{l+1} = (kept, moved + t_l(kept)),   z = h exp(s),   log p(x) = log p_base(z) + sum s

    Args:
        shape: int D, numbers of one x; or a tuple (H, W, C) of images, with mask="checkerboard".
        couplings: int >= 2, additive couplings; which part moves alternates.
        units: ints, widths of the hidden layers of each coupling's network (filters, for images).
        mask: "alternating", "halves", "checkerboard", or an array of 0 and 1, see `AdditiveCoupling`.
        activation: of the hidden layers.
        start_scale: float >= 0, how far from the identity each coupling starts.
        alpha: float in [0, 1/2), of the logit that pixels pass first; None for no logit. For `levels` alone.
        base: "logistic", "normal", or as `NormalizingFlow`.
        condition_size, classes, levels, evaluation_samples: as `NormalizingFlow`.
        seed: int, root of weights and noise.
        **kwargs: as keras.Model.

    Input shape:
        (B, *shape); with a condition the pair of it and (B, N), or (B,) classes.

    Output shape:
        (B,), log p(x).

    Raises:
        ValueError: for fewer than 2 couplings, and as `NormalizingFlow`.

    Example:
        >>> import numpy as np
        >>> model = NICE(4, units=(8,))
        >>> tuple(model.sample(seed=1, n=5).shape), tuple(model(np.zeros((3, 4), "float32")).shape)
        ((5, 4), (3,))

    Source: R; Dinh et al. 2014.
    """

    rows_apart = True

    def __init__(
        self,
        shape: Any,
        couplings: int = 4,
        units: Any = (64, 64),
        mask: Any = "alternating",
        activation: Any = "relu",
        start_scale: float = 0.01,
        alpha: float | None = 0.05,
        base: Any = "logistic",
        condition_size: int | None = None,
        classes: int | None = None,
        levels: int | None = None,
        evaluation_samples: int = 8,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        _require_two("NICE", couplings)
        given = {"mask": mask, "units": units, "activation": activation, "start_scale": start_scale}
        flows: list[FlowLayer] = [
            AdditiveCoupling(flip=bool(i % 2), seed=derive_seed(seed, "coupling", i), name=f"coupling{i}", **given)
            for i in range(couplings)
        ]
        super().__init__(
            shape, [*_logit(levels, alpha), *flows, ActNorm(center=False, name="scale")], base, condition_size, classes,
            levels, evaluation_samples, seed, **kwargs,
        )  # fmt: skip
        self.options = {**_told(self.flow.flows[-2]), "couplings": couplings, "alpha": alpha}


@register("RealNVP")
class RealNVP(NormalizingFlow):
    """A flow of scales and shifts.

        h_{l+1} = (kept, moved exp(s_l(kept)) + t_l(kept)),   log p(x) = log p_base(z) + sum of all s

    Images (H, W, C) pass the multi-scale form: at each of `scales` but the last `couplings` on a checkerboard, a
    squeeze, `couplings` of channel halves, and half of the channels leave; at the last `couplings` on a checkerboard.

    Args:
        shape: int D, numbers of one x; or a tuple (H, W, C) of images.
        couplings: int >= 2, affine couplings (of images: of each kind at each scale); which part moves alternates.
        units: ints, widths of the hidden layers of each coupling's network (filters, for images).
        mask: for vectors: "alternating", "halves", or an array of 0 and 1, see `AffineCoupling`.
        log_scale_bound: float > 0, greatest |s| of a coupling, or None.
        actnorm: bool, whether an `ActNorm` stands before each coupling.
        scales: int >= 1, for images.
        activation: of the hidden layers.
        start_scale: float >= 0, how far from the identity each coupling starts.
        alpha: float in [0, 1/2), of the logit that pixels pass first; None for no logit. For `levels` alone.
        base: "normal", "logistic", or as `NormalizingFlow`.
        condition_size, classes, levels, evaluation_samples: as `NormalizingFlow`.
        seed: int, root of weights and noise.
        **kwargs: as keras.Model.

    Input shape:
        (B, *shape); with a condition the pair of it and (B, N), or (B,) classes.

    Output shape:
        (B,), log p(x).

    Raises:
        ValueError: for fewer than 2 couplings, sizes that cannot be halved, and as `NormalizingFlow`.

    Example:
        >>> import numpy as np
        >>> model = RealNVP((4, 4, 1), couplings=2, units=(8,), levels=17)
        >>> x = np.zeros((3, 4, 4, 1), "float32")
        >>> tuple(model(x).shape), tuple(model.encode(x).shape), tuple(model.sample(seed=1, n=2).shape)
        ((3,), (3, 16), (2, 4, 4, 1))

    Source: R (printed there as NICE); Dinh et al. 2016.
    """

    rows_apart = True

    def __init__(
        self,
        shape: Any,
        couplings: int = 6,
        units: Any = (128, 128),
        mask: Any = "alternating",
        log_scale_bound: float | None = 2.0,
        actnorm: bool = True,
        scales: int = 2,
        activation: Any = "relu",
        start_scale: float = 0.01,
        alpha: float | None = 0.05,
        base: Any = "normal",
        condition_size: int | None = None,
        classes: int | None = None,
        levels: int | None = None,
        evaluation_samples: int = 8,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        _require_two("RealNVP", couplings)
        require_positive_int("RealNVP", scales=scales)
        network = {
            "units": units, "activation": activation, "start_scale": start_scale, "log_scale_bound": log_scale_bound
        }  # fmt: skip

        def block(mask: Any, where: str) -> list[FlowLayer]:
            made: list[FlowLayer] = []
            for i in range(couplings):
                path = (where, i) if where else (i,)
                name = "_".join(map(str, path))
                made += [ActNorm(name=f"actnorm{name}")] if actnorm else []
                made.append(
                    AffineCoupling(
                        mask, flip=bool(i % 2), seed=derive_seed(seed, "coupling", *path), name=f"coupling{name}",
                        **network,
                    )
                )  # fmt: skip
            return made

        def scale(level: int) -> list[FlowLayer]:
            first = block("checkerboard", f"{level}_board")
            if level == scales:
                return first
            return [*first, Squeeze(name=f"squeeze{level}"), *block("halves", f"{level}_channels"),
                    FactorOut(scale(level + 1), name=f"factor_out{level}")]  # fmt: skip

        images = not isinstance(shape, int) and len(tuple(shape)) == 3
        flows = scale(1) if images else block(mask, "")
        super().__init__(
            shape, [*_logit(levels, alpha), *flows], base, condition_size, classes, levels, evaluation_samples, seed,
            **kwargs,
        )  # fmt: skip
        coupling = next(flow for flow in self.flow.flows if isinstance(flow, AffineCoupling))
        self.options = {
            **_told(coupling), "mask": mask if isinstance(mask, str) else coupling.mask, "couplings": couplings,
            "alpha": alpha, "log_scale_bound": coupling.log_scale_bound, "actnorm": actnorm, "scales": scales,
        }  # fmt: skip


def _require_two(who: str, couplings: Any) -> None:
    require_positive_int(who, couplings=couplings)
    if couplings < 2:
        raise ValueError(f"{who} needs 2 couplings or more, to move every number. Received: couplings={couplings}")


def _logit(levels: int | None, alpha: float | None) -> list[FlowLayer]:
    return [] if levels is None or alpha is None else [LogitTransform(alpha, name="logit")]


def _told(coupling: Any) -> dict[str, Any]:
    """What a coupling's config says of the arguments that all couplings share."""
    config = coupling.get_config()
    return {name: config[name] for name in ("units", "mask", "activation", "start_scale")}
