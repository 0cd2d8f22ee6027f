"""MAF: a normalizing flow of masked networks, each layer the density of every number given those before it.

h_1 = x,   h_{l+1} = (h_l - t_l(h_l)) exp(-s_l(h_l)),   z = h_{L+1},   log p(x) = log p_base(z) - sum of all s

Orders turn round from layer to layer. With fast="density" log p(x) takes L passes and a draw L D of them (masked
autoregressive flow); with fast="sampling" it is the other way round (inverse autoregressive flow).
"""

from __future__ import annotations

from typing import Any

from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import require_one_of, require_positive_int
from keras_course.layers.flows import ActNorm, FlowLayer, LogitTransform, MaskedAutoregressive
from keras_course.models.generative.normalizing_flow import NormalizingFlow

__all__ = ["MAF"]


@register("MAF")
class MAF(NormalizingFlow):
    """A flow of autoregressive layers.

        h_{l+1} = (h_l - t_l(h_l)) exp(-s_l(h_l)),   log p(x) = log p_base(z) - sum of all s

    Args:
        shape: int D, numbers of one x.
        layers: int >= 1, `MaskedAutoregressive` layers.
        units: ints, widths of the hidden layers of each.
        order: "alternating" (forward, backward, forward, ...), "random" (one a layer), or the first layer's, a list of
            the numbers, first to last; the second goes through them backwards, and so on.
        fast: "density", or "sampling" for the inverse autoregressive flow, whose training is a loop over D.
        actnorm: bool, whether an `ActNorm` stands before each layer.
        log_scale_bound: float > 0, greatest |s| of a layer, or None.
        activation: of the hidden layers.
        start_scale: float >= 0, how far from the identity each layer starts.
        alpha: float in [0, 1/2), of the logit that pixels pass first; None for no logit. For `levels` alone.
        base: "normal", "logistic", or as `NormalizingFlow`.
        condition_size, classes, levels, evaluation_samples: as `NormalizingFlow`.
        seed: int, root of weights, orders and noise.
        **kwargs: as keras.Model.

    Input shape:
        (B, D); with a condition the pair of it and (B, N), or (B,) classes.

    Output shape:
        (B,), log p(x).

    Raises:
        ValueError: for sizes below 1, an unknown order or direction, and as `NormalizingFlow`.

    Example:
        >>> import numpy as np
        >>> model = MAF(4, layers=2, units=(8,))
        >>> tuple(model.sample(seed=1, n=5).shape), tuple(model(np.zeros((3, 4), "float32")).shape)
        ((5, 4), (3,))

    Source: R; Papamakarios et al. 2017, Kingma et al. 2016.
    """

    rows_apart = True

    def __init__(
        self,
        shape: int,
        layers: int = 6,
        units: Any = (128,),
        order: Any = "alternating",
        fast: str = "density",
        actnorm: bool = True,
        log_scale_bound: float | None = 2.0,
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
        require_positive_int("MAF", layers=layers)
        orders = _orders(order, layers)
        made: list[FlowLayer] = []
        if levels is not None and alpha is not None:
            made.append(LogitTransform(alpha, name="logit"))
        for i in range(layers):
            made += [ActNorm(name=f"actnorm{i}")] if actnorm else []
            made.append(
                MaskedAutoregressive(
                    units, orders[i], fast,
                    activation=activation, log_scale_bound=log_scale_bound, start_scale=start_scale,
                    seed=derive_seed(seed, "masked", i), name=f"masked{i}",
                )
            )  # fmt: skip
        super().__init__(
            shape, made, base, condition_size, classes, levels, evaluation_samples, seed, **kwargs
        )  # fmt: skip
        config, shared = made[-1].get_config(), ("units", "fast", "log_scale_bound", "activation", "start_scale")
        self.options = {
            **{name: config[name] for name in shared},
            "order": order if isinstance(order, str) else orders[0],
            "layers": layers,
            "actnorm": actnorm,
            "alpha": alpha,
        }


def _orders(order: Any, layers: int) -> list[Any]:
    """What each layer is told."""
    if isinstance(order, str):
        require_one_of("MAF", ("alternating", "random"), order=order)
        return ["random"] * layers if order == "random" else [("forward", "backward")[i % 2] for i in range(layers)]
    places = [int(place) for place in order]
    return [places[:: (-1) ** i] for i in range(layers)]
