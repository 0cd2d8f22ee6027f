"""Planted bugs in optimizers. `Momentum` is the correct twin."""

from types import SimpleNamespace

import keras
from keras import ops

from reference_tests.conformance.mutant import Mutant, planted

OPTIMIZER_MUTANTS: list[Mutant] = []
INIT = {"learning_rate": 0.05, "momentum": 0.5}


def bug(words, caught_by):
    return planted(OPTIMIZER_MUTANTS, "optimizer", words, caught_by, init=INIT)


@keras.saving.register_keras_serializable(package="mutants")
class Momentum(keras.optimizers.Optimizer):
    """v <- momentum v - learning_rate g,  w <- w + v."""

    def __init__(self, learning_rate=0.01, momentum=0.9, name="momentum", **kwargs):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.momentum = momentum

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.velocities = self.make_slots(variables)

    def make_slots(self, variables):
        return [self.add_variable_from_reference(variable, name="velocity") for variable in variables]

    def slot(self, variable):
        return self.velocities[self._get_variable_index(variable)]

    def update_step(self, gradient, variable, learning_rate):
        velocity = self.slot(variable)
        rate, momentum = ops.cast(learning_rate, variable.dtype), ops.cast(self.momentum, variable.dtype)
        velocity.assign(ops.cast(momentum * velocity - rate * ops.cast(gradient, variable.dtype), velocity.dtype))
        variable.assign_add(ops.cast(velocity, variable.dtype))

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum}


@bug("the sign of the step is turned round", "steps_go_downhill")
class GoesUphill(Momentum):
    def update_step(self, gradient, variable, learning_rate):
        super().update_step(-gradient, variable, learning_rate)


@bug("the slot is not among the optimizer's variables", "a_saved_model_continues_as_if_never_stopped")
class SlotNotSaved(Momentum):
    def make_slots(self, variables):
        slots = [keras.Variable(ops.zeros_like(variable), dtype=variable.dtype) for variable in variables]
        self.hidden = SimpleNamespace(slots=slots)
        return []

    def slot(self, variable):
        return self.hidden.slots[self._get_variable_index(variable)]


@bug("the slot is made by the first step", "slots_exist_after_build")
class SlotMadeByStep(Momentum):
    def make_slots(self, variables):
        return []

    def slot(self, variable):
        if not self.velocities:
            self.velocities = [
                self.add_variable_from_reference(one, name="velocity") for one in self._trainable_variables
            ]
        return super().slot(variable)


@bug("a schedule is ignored", "schedules_are_followed")
class ScheduleIgnored(Momentum):
    def update_step(self, gradient, variable, learning_rate):
        rate = self._learning_rate
        fixed = rate(0) if callable(rate) and not isinstance(rate, keras.Variable) else rate
        super().update_step(gradient, variable, fixed)


@bug("the learning rate is copied at the start", "learning_rate_can_be_assigned")
class RateCopied(Momentum):
    def __init__(self, learning_rate=0.01, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.start = learning_rate

    def update_step(self, gradient, variable, learning_rate):
        super().update_step(gradient, variable, self.start if isinstance(self.start, float) else learning_rate)


@bug("gradients are not clipped", "gradients_are_clipped")
class ClippingIgnored(Momentum):
    def _clip_gradients(self, gradients):
        return gradients


@bug("one slot for all variables of a run", "variables_move_independently")
class SharedSlot(Momentum):
    def make_slots(self, variables):
        slots = super().make_slots(variables)
        self.sum = self.add_variable(shape=(), name="sum")
        return slots

    def update_step(self, gradient, variable, learning_rate):
        self.sum.assign_add(ops.sum(ops.cast(gradient, self.sum.dtype)))
        super().update_step(gradient + ops.cast(0.01 * self.sum, gradient.dtype), variable, learning_rate)


@bug("a step count in Python, frozen by the graph", "eager_graph_and_xla_agree")
class PythonCounter(Momentum):
    count = 0

    def update_step(self, gradient, variable, learning_rate):
        self.count += 1
        super().update_step(gradient / self.count, variable, learning_rate)


@bug("0/0 at a gradient of zero", "zero_gradients_stay_finite")
class DividesByGradient(Momentum):
    def update_step(self, gradient, variable, learning_rate):
        super().update_step(gradient / ops.sqrt(ops.mean(gradient**2)), variable, learning_rate)


@bug("get_config drops momentum", "config_names_every_argument")
class OptimizerDropsArgument(Momentum):
    def get_config(self):
        config = super().get_config()
        del config["momentum"]
        return config


@bug("slots in float32 for float64 weights", "float64_is_really_float64")
class SlotInFloat32(Momentum):
    def make_slots(self, variables):
        return [self.add_variable(variable.shape, dtype="float32", name="velocity") for variable in variables]


@bug("weight decay is ignored", "weight_decay_shrinks_weights")
class DecayIgnored(Momentum):
    def _apply_weight_decay(self, variables):
        return None
