"""check_optimizer: does a Keras optimizer keep what a Keras optimizer promises?"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.core.backend import require_tensorflow
from keras_course.core.model import Model
from keras_course.core.serial import load, save_model
from keras_course.testing import configuration
from keras_course.testing.agreement import as_array, require, require_equal, require_finite
from keras_course.testing.configuration import constructor_arguments
from keras_course.testing.example_inputs import philox
from keras_course.testing.loss_case import ObjectCase
from keras_course.testing.report import NotApplicable, Report, run_checks

__all__ = ["OPTIMIZER_CHECKS", "check_optimizer"]

SHAPES = ((3, 2), (2,))


class _OneLayer(Model):
    """A model whose train_step lets an optimizer look ahead."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layer = keras.layers.Dense(2)

    def build(self, input_shape: Any) -> None:
        self.layer.build(input_shape)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return self.layer(inputs)


class OptimizerCase(ObjectCase):
    """What the checks of an optimizer look at: steps on f(v) = sum c (v - v*)^2 / 2 over two variables."""

    def __init__(self, cls: type, init: Mapping[str, Any] | None) -> None:
        super().__init__(cls, init, (1,))

    def start(self, dtype: str = "float32", shapes: Sequence[tuple[int, ...]] = SHAPES) -> list[Any]:
        """Variables at a fixed start."""
        return [
            keras.Variable(philox("start", shape).normal(size=shape).astype(dtype), dtype=dtype, name=f"v{index}")
            for index, shape in enumerate(shapes)
        ]

    def gradients(self, variables: Sequence[Any]) -> list[Any]:
        """c (v - v*), c from 0.5 to 2."""
        found = []
        for variable in variables:
            shape = tuple(variable.shape)
            slope, goal = philox("slope", shape).uniform(0.5, 2.0, shape), philox("goal", shape).normal(size=shape)
            moved = variable.value - ops.convert_to_tensor(goal, dtype=variable.dtype)
            found.append(ops.convert_to_tensor(slope, dtype=variable.dtype) * moved)
        return found

    def objective(self, variables: Sequence[Any]) -> float:
        """f at the variables."""
        total = 0.0
        for variable in variables:
            shape = tuple(variable.shape)
            slope, goal = philox("slope", shape).uniform(0.5, 2.0, shape), philox("goal", shape).normal(size=shape)
            total += 0.5 * float(np.sum(slope * (as_array(variable) - goal) ** 2))
        return total

    def run(self, optimizer: Any, steps: int, variables: list[Any] | None = None, mode: str = "eager") -> list[Any]:
        """The variables after these steps."""
        variables = self.start() if variables is None else variables
        optimizer.build(variables)

        def step() -> None:
            self.step(optimizer, variables)

        run = step if mode == "eager" else tf.function(step, jit_compile=mode == "xla", autograph=False)
        for _ in range(steps):
            run()
        return [as_array(variable) for variable in variables]

    def step(self, optimizer: Any, variables: Sequence[Any], change: Callable[[list[Any]], list[Any]] = list) -> None:
        """One step, with changed gradients if asked; an optimizer that has `look_ahead` moves before they are taken."""
        if hasattr(optimizer, "look_ahead"):
            optimizer.look_ahead(variables)
        optimizer.apply(change(self.gradients(variables)), variables)

    @property
    def rate(self) -> float:
        """The learning rate of the example."""
        arguments = constructor_arguments(self.cls)
        if "learning_rate" not in arguments:
            raise NotApplicable("takes no learning_rate")
        rate = self.init.get("learning_rate", arguments["learning_rate"].default)
        if not isinstance(rate, int | float):
            raise NotApplicable("the example's learning_rate is no number")
        return float(rate)

    def require_same_behaviour(self, original: Any, rebuilt: Any) -> None:
        """Equal steps of two instances."""
        require_equal(self.run(rebuilt, 2), self.run(original, 2), "two steps of the rebuilt optimizer", "exact")


def zeros(gradients: list[Any]) -> list[Any]:
    """Gradients of nothing."""
    return [ops.zeros_like(gradient) for gradient in gradients]


def steps_go_downhill(case: OptimizerCase) -> None:
    """A sign turned round, or a step that does nothing."""
    start = case.objective(case.start())
    variables = case.start()
    case.run(case.make(), 20, variables)
    end = case.objective(variables)
    require(end < start, f"20 steps on a convex bowl lead from {start:.6g} to {end:.6g}")


def eager_graph_and_xla_agree(case: OptimizerCase) -> None:
    """Python numbers frozen at trace time: a step count, a power of beta, a schedule."""
    expected = case.run(case.make(), 4)
    for mode in ("graph", "xla"):
        require_equal(case.run(case.make(), 4, mode=mode), expected, f"four steps under {mode}", "steps:4")


def slots_exist_after_build(case: OptimizerCase) -> None:
    """Slots made by the first step, or kept outside `variables`: a graph makes them once too often, files miss them."""
    optimizer = case.make()
    variables = case.start()
    optimizer.build(variables)
    count = len(optimizer.variables)
    case.run(optimizer, 2, variables)
    require(len(optimizer.variables) == count, f"{count} variables after build, {len(optimizer.variables)} after steps")
    require(int(optimizer.iterations) == 2, f"iterations says {int(optimizer.iterations)} after 2 steps")


def a_saved_model_continues_as_if_never_stopped(case: OptimizerCase) -> None:
    """A slot that is not saved: training resumes with moments of zero."""
    x = philox("x").normal(size=(4, 3)).astype("float32")
    y = philox("y").normal(size=(4, 2)).astype("float32")
    model = _OneLayer() if hasattr(case.cls, "look_ahead") else keras.Sequential([keras.layers.Dense(2)])
    model.build((None, 3))
    model.compile(case.make(), loss="mse", run_eagerly=True)
    for _ in range(3):
        model.train_on_batch(x, y)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        save_model(model, path)
        loaded = load(path, allow=(case.cls, _OneLayer))
    loaded.run_eagerly = True
    for one in (model, loaded):
        for _ in range(2):
            one.train_on_batch(x, y)
    require_equal(loaded.get_weights(), model.get_weights(), "weights two steps after loading", "exact")


def schedules_are_followed(case: OptimizerCase) -> None:
    """A schedule that is read once, or not at all."""
    rate = case.rate
    constant = keras.optimizers.schedules.PiecewiseConstantDecay([1], [rate, rate])
    falling = keras.optimizers.schedules.PiecewiseConstantDecay([1], [rate, rate / 10])
    plain = case.run(case.make(), 4)
    require_equal(case.run(case.make(learning_rate=constant), 4), plain, "a constant schedule", "steps:4")
    for mode in ("eager", "graph"):
        slowed = case.run(case.make(learning_rate=falling), 4, mode=mode)
        require(not np.allclose(slowed[0], plain[0], rtol=1e-6), f"a falling schedule changes nothing under {mode}")
    config = case.make(learning_rate=falling).get_config()
    rebuilt = case.cls.from_config(config)  # type: ignore[attr-defined]
    require_equal(case.run(rebuilt, 4), slowed, "the schedule of a rebuilt optimizer", "steps:4")


def learning_rate_can_be_assigned(case: OptimizerCase) -> None:
    """A learning rate copied at the start: ReduceLROnPlateau and warm-up callbacks do nothing."""
    rate = case.rate
    optimizer = case.make()
    variables = case.start()
    optimizer.build(variables)
    optimizer.learning_rate = rate / 2
    expected = case.run(case.make(learning_rate=rate / 2), 2)
    require_equal(case.run(optimizer, 2, variables), expected, "steps after learning_rate was halved", "steps:2")


def gradients_are_clipped(case: OptimizerCase) -> None:
    """clipvalue, clipnorm and global_clipnorm that are taken and ignored, or refused."""

    def by_value(gradients: list[Any]) -> list[Any]:
        return [ops.clip(gradient, -0.1, 0.1) for gradient in gradients]

    def by_norm(gradients: list[Any]) -> list[Any]:
        return [gradient * min(1.0, 0.1 / float(ops.norm(gradient))) for gradient in gradients]

    def by_global_norm(gradients: list[Any]) -> list[Any]:
        norm = float(ops.sqrt(sum(ops.sum(gradient**2) for gradient in gradients)))
        return [gradient * min(1.0, 0.1 / norm) for gradient in gradients]

    for argument, clip in (("clipvalue", by_value), ("clipnorm", by_norm), ("global_clipnorm", by_global_norm)):
        results = []
        for optimizer, by_hand in ((case.make(**{argument: 0.1}), None), (case.make(), clip)):
            variables = case.start()
            optimizer.build(variables)
            for _ in range(2):
                case.step(optimizer, variables, by_hand or list)
            results.append([as_array(variable) for variable in variables])
        require_equal(results[0], results[1], f"{argument}=0.1 against gradients clipped by hand", "steps:2")


def weight_decay_shrinks_weights(case: OptimizerCase) -> None:
    """weight_decay that is taken and ignored."""
    optimizer = case.make_if_taken(weight_decay=0.5, learning_rate=0.1)
    variables = case.start()
    before = [as_array(variable) for variable in variables]
    optimizer.build(variables)
    case.step(optimizer, variables, zeros)
    for variable, start in zip(variables, before, strict=True):
        shrunk = np.sum(np.abs(as_array(variable))) < np.sum(np.abs(start))
        require(bool(shrunk), "a step with zero gradient and weight_decay=0.5 does not shrink the weights")


def variables_move_independently(case: OptimizerCase) -> None:
    """A slot shared between variables: adding one changes how the others move."""
    together = case.run(case.make(), 3)
    for index, shape in enumerate(SHAPES):
        alone = case.run(case.make(), 3, case.start(shapes=[shape]))
        require_equal(alone[0], together[index], f"variable {index} alone and beside the other", "steps:3")


def zero_gradients_stay_finite(case: OptimizerCase) -> None:
    """0/0: a first gradient of zero (a dead unit, an unused embedding) makes the weights NaN."""
    optimizer = case.make()
    variables = case.start()
    optimizer.build(variables)
    for _ in range(2):
        case.step(optimizer, variables, zeros)
    require_finite(variables, "weights after gradients of zero")


def float64_is_really_float64(case: OptimizerCase) -> None:
    """Slots or constants in float32: float64 weights move with seven digits."""
    optimizer, variables = case.make(), case.start("float64")
    came = case.run(optimizer, 3, variables)
    shapes = {tuple(variable.shape) for variable in variables}
    for slot in optimizer.variables:
        fine = tuple(slot.shape) not in shapes or "float" not in slot.dtype or slot.dtype == "float64"
        require(fine, f"slot {slot.path} of a float64 variable is {slot.dtype}")
    for array in came:
        require(not np.array_equal(array, array.astype("float32")), "float64 weights are rounded to float32")
    wide = [array.astype("float32") for array in came]
    require_equal(wide, case.run(case.make(), 3), "three steps in float64 against float32", "steps:3")


OPTIMIZER_CHECKS = (
    configuration.config_names_every_argument,
    configuration.config_follows_every_argument,
    configuration.config_rebuilds_an_equal_object,
    configuration.registered_under_an_explicit_package,
    steps_go_downhill,
    eager_graph_and_xla_agree,
    slots_exist_after_build,
    a_saved_model_continues_as_if_never_stopped,
    schedules_are_followed,
    learning_rate_can_be_assigned,
    gradients_are_clipped,
    weight_decay_shrinks_weights,
    variables_move_independently,
    zero_gradients_stay_finite,
    float64_is_really_float64,
)


def check_optimizer(
    cls: type,
    init: Mapping[str, Any] | None = None,
    *,
    skip: Iterable[str] | Mapping[str, str] = (),
    only: Iterable[str] = (),
    raise_on_failure: bool = True,
) -> Report:
    """Holds an optimizer class against the contract of a Keras optimizer.

    Config, descent, execution modes, slots and their files, schedules, clipping, weight decay, dtypes.

    Args:
        cls: subclass of keras.optimizers.Optimizer.
        init: constructor arguments of an example.
        skip, only, raise_on_failure: as `check_layer`.

    Returns:
        `Report`.

    Raises:
        ConformanceError: if a check failed.

    Example:
        >>> import keras
        >>> check_optimizer(keras.optimizers.SGD, {"learning_rate": 0.1}, only=["steps_go_downhill"]).passed
        True
    """
    require_tensorflow("check_optimizer")
    case = OptimizerCase(cls, init)
    return run_checks(
        f"check_optimizer({case.label})",
        OPTIMIZER_CHECKS,
        case,
        skip=skip,
        only=only,
        raise_on_failure=raise_on_failure,
    )
