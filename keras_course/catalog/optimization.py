"""Rows of the chapter on optimization: optimizers, second-order methods, schedules, clipping, initialisation."""

from keras_course.catalog.entry import Entry

_OPTIMIZERS = "keras_course.optimizers"
_OPS = "keras_course.ops"
_RATE = {"learning_rate": 0.05}

ROWS = (
    Entry(
        "gradient-descent", "Gradient descent: full-batch, mini-batch, online", shape="block",
        object=f"{_OPTIMIZERS}.gradient_descent:GradientDescent", init=_RATE,
        sources=("C 2.2", "C 7.1.2", "C 7.3.1", "N", "S 9.4"),
        members=(f"{_OPS}.descent:gradient_step", f"{_OPS}.descent:standard_error"),
    ),
    Entry(
        "momentum", "Momentum: a decaying sum of past gradients", shape="block",
        object=f"{_OPTIMIZERS}.momentum:Momentum", init={**_RATE, "momentum": 0.5}, sources=("C 7.3.2", "N"),
        members=(
            f"{_OPS}.descent:momentum_step", f"{_OPS}.descent:past_gradient_weights", f"{_OPS}.descent:terminal_speed",
        ),
    ),
    Entry(
        "nesterov", "Nesterov momentum with the gradient at the interim point", shape="block",
        object=f"{_OPTIMIZERS}.nesterov:Nesterov", init={**_RATE, "momentum": 0.5}, sources=("C 7.3.3", "N", "S 9.4"),
    ),
    Entry(
        "averaged-momentum", "Momentum as an average with a rate of its own", shape="block",
        object=f"{_OPTIMIZERS}.averaged_momentum:AveragedMomentum",
        init={**_RATE, "average_rate": 0.1, "share": 0.25}, sources=("S 9.4",),
        members=(f"{_OPS}.descent:averaged_momentum_step", f"{_OPS}.descent:average_gradient"),
    ),
    Entry(
        "adagrad", "AdaGrad in its three printed forms", shape="block",
        object=f"{_OPTIMIZERS}.adagrad:AdaGrad", init={**_RATE, "form": "inside-root", "delta": 0.1},
        sources=("N", "C 7.5.1", "S 9.4"), members=(f"{_OPS}.adaptive_rates:adagrad_step",),
    ),
    Entry(
        "windowed-adagrad", "AdaGrad over the last steps only", shape="block",
        object=f"{_OPTIMIZERS}.windowed_adagrad:WindowedAdaGrad", init={**_RATE, "window": 2}, sources=("S 9.4",),
        members=(f"{_OPS}.adaptive_rates:windowed_adagrad_step",),
    ),
    Entry(
        "rmsprop", "RMSProp", shape="block",
        object=f"{_OPTIMIZERS}.rmsprop:RMSProp", init=_RATE, sources=("C 7.5.2", "N"),
        members=(f"{_OPS}.adaptive_rates:rmsprop_step",),
    ),
    Entry(
        "adam", "Adam with bias correction", shape="block",
        object=f"{_OPTIMIZERS}.adam:Adam", init=_RATE, sources=("C 7.5.3",),
        members=(f"{_OPS}.adaptive_rates:adam_step",),
    ),
    Entry(
        "delta-bar-delta", "Delta-bar-delta, for full batches only", shape="block",
        object=f"{_OPTIMIZERS}.delta_bar_delta:DeltaBarDelta", init={**_RATE, "full_batch": True}, sources=("C 7.5",),
        members=(f"{_OPS}.adaptive_rates:delta_bar_delta_gain",),
    ),
    Entry(
        "newton", "Newton's method", shape="op",
        object=f"{_OPTIMIZERS}.newton:newton_minimize", sources=("C 7.6", "C 7.2.3"),
    ),
    Entry(
        "conjugate-gradient", "Conjugate gradients without the Hessian", shape="op",
        object=f"{_OPTIMIZERS}.conjugate_gradient:conjugate_gradient_minimize", sources=("C 7.6",),
        members=(
            f"{_OPS}.conjugate_directions:conjugacy_coefficient", f"{_OPS}.conjugate_directions:conjugate_direction",
        ),
    ),
    Entry(
        "linear-decay", "Learning rate down a straight line to a floor", shape="block",
        object=f"{_OPTIMIZERS}.schedules.linear:LinearDecay",
        init={"initial_rate": 0.1, "final_rate": 0.01, "steps": 10}, sources=("C 7.3.1",),
        members=(f"{_OPS}.rate_decay:linear_decay",),
    ),
    Entry(
        "polynomial-decay", "Learning rate as a power of time", shape="block",
        object=f"{_OPTIMIZERS}.schedules.polynomial:PolynomialDecay",
        init={"scale": 0.1, "offset": 1.0, "power": 0.75}, sources=("S 9.4",),
        members=(f"{_OPS}.rate_decay:polynomial_decay",),
    ),
    Entry(
        "exponential-decay", "Learning rate by the same factor every step", shape="block",
        object=f"{_OPTIMIZERS}.schedules.exponential:ExponentialDecay",
        init={"scale": 0.1, "rate": 0.5}, sources=("S 9.4",), members=(f"{_OPS}.rate_decay:exponential_decay",),
    ),
    Entry(
        "gradient-clipping", "Gradients clipped by their norm", shape="op",
        object=f"{_OPS}.clipping:clip_by_norm", inputs=(4, 3), sources=("C 7.2.4",),
        members=(f"{_OPS}.clipping:clip_by_global_norm",),
    ),
    Entry(
        "parameter-clipping", "Parameters clipped after each step", shape="block",
        object=f"{_OPTIMIZERS}.weight_clip:WeightClip", init={"limit": 0.5}, sources=("S 9.4",),
        members=(f"{_OPS}.clipping:clip_parameters",),
    ),
    Entry(
        "uniform-fan-in", "Uniform initial weights from the number of inputs", shape="block",
        object="keras_course.initializers.uniform_fan_in:UniformFanIn", init={"seed": 1}, sources=("C 7.4",),
        members=(f"{_OPS}.initial_scale:uniform_fan_in_limit", f"{_OPS}.initial_scale:fans"),
    ),
    Entry(
        "normalized-initialization", "Uniform initial weights from inputs and outputs", shape="block",
        object="keras_course.initializers.normalized_initialization:NormalizedInitialization", init={"seed": 1},
        sources=("C 7.4",), members=(f"{_OPS}.initial_scale:normalized_limit",),
    ),
)  # fmt: skip
