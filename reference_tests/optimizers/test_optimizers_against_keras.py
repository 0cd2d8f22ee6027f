"""Where the printed formula is that of a stock Keras optimizer, the steps are the same; where not, by how much."""

import keras
import numpy as np
import pytest

from keras_course.optimizers import (
    AdaGrad,
    Adam,
    AveragedMomentum,
    DeltaBarDelta,
    GradientDescent,
    Momentum,
    Nesterov,
    RMSProp,
    WindowedAdaGrad,
)

SHAPES = ((3, 2), (2,))
DRAWS = np.random.Generator(np.random.Philox(3))
START = [DRAWS.normal(size=shape).astype("float32") for shape in SHAPES]
GRADIENTS = [[DRAWS.normal(size=shape).astype("float32") for shape in SHAPES] for _ in range(6)]

PAIRS = {
    "gradient descent": (GradientDescent, {}, keras.optimizers.SGD, {}),
    "momentum": (Momentum, {"momentum": 0.8}, keras.optimizers.SGD, {"momentum": 0.8}),
    "rmsprop": (RMSProp, {"decay": 0.7, "delta": 1e-3}, keras.optimizers.RMSprop, {"rho": 0.7, "epsilon": 1e-3}),
    "adagrad": (
        AdaGrad, {"form": "inside-root", "delta": 0.1 + 1e-3}, keras.optimizers.Adagrad,
        {"initial_accumulator_value": 0.1, "epsilon": 1e-3},
    ),
    "adam": (Adam, {"delta": 1e-12}, keras.optimizers.Adam, {"epsilon": 1e-12}),
}  # fmt: skip

FEATURES = {
    "plain": {},
    "weight decay": {"weight_decay": 0.1},
    "clipnorm": {"clipnorm": 0.5},
    "clipvalue": {"clipvalue": 0.5},
    "global clipnorm": {"global_clipnorm": 0.5},
    "moving average of weights": {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2},
    "accumulated gradients": {"gradient_accumulation_steps": 2},
    "loss scale": {"loss_scale_factor": 8.0},
}


def walk(optimizer, start=START, gradients=GRADIENTS):
    """The weights after each given gradient."""
    variables = [keras.Variable(array, dtype=str(array.dtype)) for array in start]
    optimizer.build(variables)
    path = []
    for step in gradients:
        if hasattr(optimizer, "look_ahead"):
            optimizer.look_ahead(variables)
        optimizer.apply([keras.ops.convert_to_tensor(gradient) for gradient in step], variables)
        path.append(np.concatenate([keras.ops.convert_to_numpy(variable).ravel() for variable in variables]))
    return np.stack(path)


@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize("pair", PAIRS)
def test_steps_are_those_of_the_stock_optimizer_whatever_is_switched_on(pair, feature):
    ours, own, theirs, stock = PAIRS[pair]
    came = walk(ours(0.05, **own, **FEATURES[feature]))
    wanted = walk(theirs(0.05, **stock, **FEATURES[feature]))
    assert np.abs(came - wanted).max() < 2e-6
    assert np.abs(wanted[-1] - np.concatenate([array.ravel() for array in START])).max() > 1e-3


def test_stock_nesterov_keeps_the_weights_plus_alpha_times_velocity():
    """Fed the same gradients (those at theta + alpha v), Keras's weights are ours plus alpha v."""
    ours = Nesterov(0.05, momentum=0.8)
    came = walk(ours)
    velocity = np.diff(np.concatenate([[np.concatenate([a.ravel() for a in START])], came]), axis=0)
    wanted = walk(keras.optimizers.SGD(0.05, momentum=0.8, nesterov=True))
    assert np.abs(came + 0.8 * velocity - wanted).max() < 2e-6
    assert np.abs(came - wanted).max() > 1e-2


def test_the_average_with_no_rate_for_the_newest_gradient_is_momentum():
    averaged = walk(AveragedMomentum(0.0, average_rate=0.05 / 0.25, share=0.25))
    assert np.abs(averaged - walk(Momentum(0.05, momentum=0.75))).max() < 1e-6


def test_a_share_of_one_adds_both_rates():
    assert np.abs(walk(AveragedMomentum(0.02, 0.03, share=1.0)) - walk(GradientDescent(0.05))).max() < 1e-6


def test_a_window_longer_than_the_run_is_adagrad_inside_the_root():
    whole = walk(AdaGrad(0.1, delta=0.25, form="inside-root"))
    assert np.abs(walk(WindowedAdaGrad(0.1, window=5, delta=0.25)) - whole).max() < 1e-6
    assert np.abs(walk(WindowedAdaGrad(0.1, window=4, delta=0.25)) - whole)[-1].max() > 1e-4


def test_the_window_counts_updates_and_not_accumulated_batches():
    pairs = [[(a + b) / 2 for a, b in zip(*GRADIENTS[i : i + 2], strict=True)] for i in (0, 2, 4)]
    direct = walk(WindowedAdaGrad(0.1, window=1, delta=0.25), gradients=pairs)
    gathered = walk(WindowedAdaGrad(0.1, window=1, delta=0.25, gradient_accumulation_steps=2))
    assert np.abs(gathered[1::2] - direct).max() < 1e-6


def test_the_forms_of_adagrad_agree_only_without_the_small_constant():
    outside, inside = (walk(AdaGrad(0.1, 1e-12, form)) for form in ("outside-root", "inside-root"))
    assert np.abs(outside - inside).max() < 1e-6
    outside, inside, rootless = (walk(AdaGrad(0.1, 0.5, form)) for form in ("outside-root", "inside-root", "no-root"))
    assert min(np.abs(a - b).max() for a, b in ((outside, inside), (inside, rootless), (outside, rootless))) > 1e-2


def test_adam_adds_its_constant_after_the_correction_and_keras_before():
    start, gradient, delta, decay = [np.zeros(1, "float32")], [[np.full(1, 0.5, "float32")]], 0.5, 0.99
    ours = walk(Adam(1.0, second_decay=decay, delta=delta), start, gradient)
    theirs = walk(keras.optimizers.Adam(1.0, beta_2=decay, epsilon=delta), start, gradient)
    matched = walk(keras.optimizers.Adam(1.0, beta_2=decay, epsilon=delta * 0.1), start, gradient)  # sqrt(1 - .99)
    assert ours[0, 0] == pytest.approx(-0.5 / (0.5 + delta), rel=1e-5)
    assert matched[0, 0] == pytest.approx(ours[0, 0], rel=1e-5)
    assert theirs[0, 0] == pytest.approx(-0.05 / (0.05 + delta), rel=1e-5)


def test_the_first_step_of_adam_is_the_rate_whatever_the_gradient():
    gradient = np.array([1e-3, -5.0, 2e4], "float32")
    step = walk(Adam(0.25), [np.zeros(3, "float32")], [[gradient]])[0]
    assert step == pytest.approx(-0.25 * np.sign(gradient), rel=1e-4)


@pytest.mark.parametrize("make", [Adam, RMSProp, Momentum, AdaGrad], ids=lambda cls: cls.__name__)
def test_weights_of_sixteen_bits_move_as_those_of_thirty_two(make):
    """In bfloat16 .999 is 1: a correction computed there would divide by zero."""
    start = [np.ones(4, "float32")]
    gradients = [[np.linspace(0.5, 2, 4).astype("float32") * (-1) ** k] for k in range(5)]
    variable, optimizer = keras.Variable(start[0], dtype="bfloat16"), make(0.0625)
    for (gradient,) in gradients:
        optimizer.apply([keras.ops.cast(gradient, "bfloat16")], [variable])
    came = keras.ops.convert_to_numpy(keras.ops.cast(variable, "float32"))
    assert np.abs(came - walk(make(0.0625), start, gradients)[-1]).max() < 0.05


@pytest.mark.parametrize(
    "make",
    [GradientDescent, Momentum, AveragedMomentum, AdaGrad, WindowedAdaGrad, RMSProp, Adam,
     lambda rate: DeltaBarDelta(rate, full_batch=True)],
)  # fmt: skip
def test_the_slices_of_an_embedding_are_a_dense_gradient_with_zero_rows(make):
    import tensorflow as tf

    tables = []
    for dense in (False, True):
        table, optimizer = keras.Variable(np.ones((4, 2), "float32")), make(0.1)
        optimizer.build([table])
        for rows in ([0, 2, 0], [3]):
            slices = tf.IndexedSlices(tf.ones((len(rows), 2)), tf.constant(rows), tf.constant([4, 2]))
            optimizer.apply([tf.convert_to_tensor(slices) if dense else slices], [table])
        tables.append(keras.ops.convert_to_numpy(table))
    assert np.array_equal(*tables)


def test_an_average_rate_may_follow_a_schedule_of_its_own():
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([2], [0.2, 0.0])
    optimizer = AveragedMomentum(0.01, average_rate=schedule, share=0.25)
    rebuilt = AveragedMomentum.from_config(optimizer.get_config())
    path = walk(optimizer)
    assert np.array_equal(walk(rebuilt), path)
    constant = walk(AveragedMomentum(0.01, average_rate=0.2, share=0.25))
    assert np.abs(path[:3] - constant[:3]).max() < 1e-6
    assert np.abs(path[3:] - constant[3:]).max() > 1e-3


@pytest.mark.parametrize(
    ("make", "came"),
    [
        (lambda: GradientDescent(-0.1), "learning_rate=-0.1"),
        (lambda: Momentum(0.1, momentum=1.0), "momentum=1.0"),
        (lambda: Nesterov(0.1, momentum=-0.5), "momentum=-0.5"),
        (lambda: AveragedMomentum(0.1, average_rate=-1.0), "average_rate=-1.0"),
        (lambda: AveragedMomentum(0.1, share=0.0), "share=0.0"),
        (lambda: AveragedMomentum(0.1, average_rate=abs), "average_rate=<built-in function abs>"),
        (lambda: AdaGrad(0.1, delta=0.0), "delta=0.0"),
        (lambda: AdaGrad(0.1, form="inside"), "form='inside'"),
        (lambda: WindowedAdaGrad(0.1, window=0), "window=0"),
        (lambda: RMSProp(0.1, decay=1.5), "decay=1.5"),
        (lambda: Adam(0.1, second_decay=1.0), "second_decay=1.0"),
        (lambda: Adam(float("nan")), "learning_rate=nan"),
        (lambda: DeltaBarDelta(0.1, decrease=1.0), "decrease=1.0"),
        (lambda: DeltaBarDelta(0.1, increase=-0.5), "increase=-0.5"),
    ],
)
def test_a_number_out_of_range_is_refused_with_the_value_that_came(make, came):
    with pytest.raises(ValueError, match="Received: ") as refused:
        make()
    assert str(refused.value).endswith(f"Received: {came}")
