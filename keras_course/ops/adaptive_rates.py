"""Steps with a rate for each parameter: AdaGrad, its window, RMSProp, Adam, delta-bar-delta.

    AdaGrad            r' = r + g^2                          step = -eps g / (delta + sqrt(r'))
    windowed AdaGrad   r' = sum of the last tau + 1 g^2      step = -eta g / sqrt(K + r')
    RMSProp            r' = rho r + (1 - rho) g^2            step = -eps g / sqrt(delta + r')
    Adam               s' = rho1 s + (1 - rho1) g,  r' = rho2 r + (1 - rho2) g^2
                       step = -eps s^ / (delta + sqrt(r^)),  s^ = s' / (1 - rho1^t),  r^ = r' / (1 - rho2^t)
    delta-bar-delta    a rate grows while its partial derivative keeps its sign, and shrinks when it changes

All products and roots are elementwise. Where the small constant stands differs from source to source; it matters only
for gradients as small as itself, and it decides what a parameter without a gradient does.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from keras_course.core.shapes import require_one_of
from keras_course.ops.floating import as_floating

__all__ = [
    "ADAGRAD_FORMS",
    "adagrad_step",
    "adam_direction",
    "adam_step",
    "delta_bar_delta_gain",
    "rmsprop_step",
    "windowed_adagrad_step",
]

ADAGRAD_FORMS = ("outside-root", "inside-root", "no-root")


def adagrad_step(accumulated: Any, gradient: Any, rate: Any, delta: Any, form: str = "outside-root") -> tuple[Any, Any]:
    """The sum of all squared gradients, and the step scaled down by its root.

    r' = r + g^2
    step = -eps g / (delta + sqrt(r'))      form "outside-root": N, and the words of C
         = -eps g / sqrt(delta + r')        form "inside-root":  S, with K = delta; Keras, with r > 0 at the start
         = -eps g / (delta + r')            form "no-root":      C as its formula is printed, an erratum (B3)

    Args:
        accumulated: tensor r >= 0, any shape.
        gradient: tensor g like r.
        rate: number or scalar tensor, eps.
        delta: number > 0, the small constant.
        form: which of the three.

    Returns:
        Tuple of r' and the step, tensors like g.

    Raises:
        ValueError: for another form.

    Example:
        >>> for form in ADAGRAD_FORMS:
        ...     print(round(float(adagrad_step(0.0, 2.0, rate=0.1, delta=0.1, form=form)[1]), 4))
        -0.0952
        -0.0988
        -0.0488

    Source: N, C 7.5.1, S 9.4.
    """
    require_one_of("adagrad_step", ADAGRAD_FORMS, form=form)
    gradient = as_floating(gradient)
    accumulated = as_floating(accumulated) + gradient * gradient
    if form == "outside-root":
        scale = delta + ops.sqrt(accumulated)
    elif form == "inside-root":
        scale = ops.sqrt(delta + accumulated)
    else:
        scale = delta + accumulated
    return accumulated, -rate * gradient / scale


def windowed_adagrad_step(window: Any, gradient: Any, rate: Any, delta: Any, place: Any) -> tuple[Any, Any]:
    """AdaGrad over the last tau + 1 gradients only, so that an old cliff is forgotten.

    step = -eta g / sqrt(K + sum from t' = t - tau to t of g(t')^2)

    Args:
        window: list of tau + 1 tensors like g (or one tensor that stacks them), the squares of the last gradients in
            any order, zeros where there was none yet.
        gradient: tensor g (...).
        rate: number or scalar tensor, eta.
        delta: number > 0, K.
        place: int or integer tensor in [0, tau], whose square is the oldest: step number modulo tau + 1.

    Returns:
        Tuple of the list with the oldest square replaced, and the step like g.

    Example:
        >>> window, step = windowed_adagrad_step([[9.0], [0.0]], [4.0], rate=1.0, delta=0.0, place=1)
        >>> print([square.numpy().tolist() for square in window], step.numpy())
        [[9.0], [16.0]] [-0.8]

    Source: S 9.4.
    """
    window, gradient = [as_floating(square) for square in window], as_floating(gradient)
    square = gradient * gradient
    changed = [lambda i=i: [*window[:i], square, *window[i + 1 :]] for i in range(len(window))]
    window = ops.switch(place, changed)  # of tau + 1 large tensors one is new, and none is copied
    return window, -rate * gradient / ops.sqrt(delta + sum(window[1:], window[0]))


def rmsprop_step(average: Any, gradient: Any, rate: Any, decay: Any, delta: Any) -> tuple[Any, Any]:
    """The moving average of squared gradients, and the step scaled down by its root.

    r' = rho r + (1 - rho) g^2
    step = -eps g / sqrt(delta + r')

    Args:
        average: tensor r >= 0, any shape.
        gradient: tensor g like r.
        rate: number or scalar tensor, eps.
        decay: number in [0, 1), rho.
        delta: number > 0.

    Returns:
        Tuple of r' and the step, tensors like g.

    Example:
        >>> average, step = rmsprop_step([0.0], [4.0], rate=0.5, decay=0.75, delta=0.0)
        >>> print(average.numpy(), step.numpy())
        [4.] [-1.]

    Source: C 7.5.2, N.
    """
    gradient = as_floating(gradient)
    average = decay * as_floating(average) + (1 - decay) * (gradient * gradient)
    return average, -rate * gradient / ops.sqrt(delta + average)


def adam_step(
    first: Any, second: Any, gradient: Any, step: Any, rate: Any, decays: tuple[float, float], delta: Any
) -> tuple[Any, Any, Any]:  # fmt: skip
    """Both moving averages, each corrected for its start at zero, and the step that is their quotient.

    s' = rho1 s + (1 - rho1) g,      s^ = s' / (1 - rho1^t)
    r' = rho2 r + (1 - rho2) g^2,    r^ = r' / (1 - rho2^t)
    step = -eps s^ / (delta + sqrt(r^))

    delta is added after the correction, as in the paper's algorithm; Keras adds it before (the paper's "epsilon hat"),
    which makes it 1 / sqrt(1 - rho2^t) times larger in the first steps.

    Args:
        first: tensor s, any shape.
        second: tensor r >= 0 like s.
        gradient: tensor g like s.
        step: int or integer tensor, t, 1 for the first step.
        rate: number or scalar tensor, eps.
        decays: (rho1, rho2), each in [0, 1).
        delta: number > 0.

    Returns:
        Tuple of s', r' and the step, tensors like g.

    Example:
        >>> _, _, change = adam_step([0.0], [0.0], [3.0], 1, rate=0.5, decays=(0.9, 0.75), delta=0.0)
        >>> print(change.numpy().round(6))
        [-0.5]

    Source: C 7.5.3; Kingma and Ba 2015.
    """
    first, second, scale, direction = adam_direction(first, second, gradient, step, decays, delta)
    return first, second, (-rate * scale) * direction


def adam_direction(
    first: Any, second: Any, gradient: Any, step: Any, decays: tuple[float, float], delta: Any
) -> tuple[Any, Any, Any, Any]:  # fmt: skip
    """`adam_step` before the last product: the step is -eps scale direction, and only direction is a tensor.

    scale = sqrt(1 - rho2^t) / (1 - rho1^t),   direction = s' / (sqrt(1 - rho2^t) delta + sqrt(r'))

    Args:
        first, second, gradient, step, decays, delta: as `adam_step`.

    Returns:
        Tuple of s', r', the scalar scale and the direction, a tensor like g.

    Example:
        >>> *_, scale, direction = adam_direction([0.0], [0.0], [3.0], 1, decays=(0.9, 0.75), delta=0.0)
        >>> print((scale * direction).numpy().round(6))
        [1.]

    Source: C 7.5.3; Kingma and Ba 2015.
    """
    gradient = as_floating(gradient)
    rho1, rho2 = decays
    first = rho1 * as_floating(first) + (1 - rho1) * gradient
    second = rho2 * as_floating(second) + (1 - rho2) * (gradient * gradient)
    missing1, missing2 = _one_minus_power(rho1, step, gradient.dtype), _one_minus_power(rho2, step, gradient.dtype)
    # s^ / (delta + sqrt(r^)) = sqrt(missing2) / missing1 * s / (sqrt(missing2) delta + sqrt(r)): scalars stay scalars.
    root = ops.sqrt(missing2)
    return first, second, root / missing1, first / (root * delta + ops.sqrt(second))


def _one_minus_power(rho: float, step: Any, dtype: Any) -> Any:
    """1 - rho^t without cancellation (0.999 has three digits left in 1 - 0.999), whatever the dtype of the weights."""
    working = "float64" if keras.backend.standardize_dtype(dtype) == "float64" else "float32"
    logarithm = as_floating(math.log(rho) if rho > 0 else -math.inf, working)
    return ops.cast(-ops.expm1(ops.cast(step, working) * logarithm), dtype)


def delta_bar_delta_gain(gain: Any, average: Any, gradient: Any, increase: Any, decrease: Any) -> Any:
    """The gain of each parameter's rate, by the signs of its gradient and of the average of the earlier ones.

    gain' = gain + kappa         where d g > 0      d  = average of earlier gradients
          = (1 - phi) gain       where d g < 0
          = gain                 where d g = 0

    The rate of a parameter is the global rate times its gain. It grows by sums and shrinks by factors, so that it
    stays positive. Next, d' = theta d + (1 - theta) g (`average_gradient` with lambda = 1 - theta); with theta = 0 the
    sign is compared with that of the gradient before, as the notes say it.

    Args:
        gain: tensor > 0, any shape.
        average: tensor d like it, zeros at the start.
        gradient: tensor g like it, of the WHOLE data: the noise of mini-batches turns signs round.
        increase: number >= 0, kappa.
        decrease: number in [0, 1), phi.

    Returns:
        Tensor gain', like g.

    Example:
        >>> print(delta_bar_delta_gain([1.0, 1.0, 1.0], [2.0, 2.0, 0.0], [1.0, -1.0, 1.0], 0.5, 0.25).numpy())
        [1.5  0.75 1.  ]

    Source: C 7.5; Jacobs 1988.
    """
    gain, average, gradient = as_floating(gain), as_floating(average), as_floating(gradient)
    agreement = ops.sign(average) * ops.sign(gradient)  # -1, 0, 1; the product itself could underflow to 0
    # Two limits on a step without end in its direction: half the time of choosing between three tensors.
    endless = agreement * (6e4 if keras.backend.standardize_dtype(gain.dtype) == "float16" else 3e38)
    change = ops.maximum(ops.minimum(endless, increase), -decrease * gain)
    return gain + change
