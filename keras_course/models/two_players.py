"""Two networks with opposed losses in one model, each moved by an optimizer of its own.

    compile(optimizer, discriminator_optimizer)     the second is a copy of the first if none is given

Keras itself would save, restore and build one optimizer. Losses are sums over this replica's rows over the number of
rows of all replicas: the optimizers add the replicas' gradients up, so that uneven shares count as the batch does.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

__all__ = ["TwoPlayers"]


class TwoPlayers:
    """To be inherited before a `core.model.Model`; a subclass says which variables are whose.

    Attributes:
        first_variables: list, trainable variables of the player that makes x; a property of the subclass.
        second_variables: list, of the player that judges x, or None where there is none; a property too.
        optimizer: moves the first player's variables (made by Keras).
        discriminator_optimizer: moves the second's; None before `compile`, and without a second player.
    """

    first_variables: Any
    second_variables: Any
    discriminator_optimizer: Any = None

    def compile(
        self, optimizer: Any = "adam", discriminator_optimizer: Any = None, loss: Any = None, **kwargs: Any
    ) -> None:
        """As keras.Model.compile.

        Args:
            optimizer: of the player that makes x.
            discriminator_optimizer: of the player that judges x; None for a copy of the first.
            loss: must be None.
            **kwargs: as keras.Model.compile.
        """
        who = type(self).__name__
        if loss is not None:
            raise ValueError(f"{who} brings its own losses. Received: loss={loss!r}")
        optimizer = keras.optimizers.get(optimizer)
        if discriminator_optimizer is None:
            discriminator_optimizer = type(optimizer).from_config(optimizer.get_config())
        judge = keras.optimizers.get(discriminator_optimizer)
        if judge is optimizer:
            raise ValueError(f"{who} needs two optimizers, each with state of its own. Received: {optimizer!r} twice")
        for each in (optimizer, judge):
            if hasattr(getattr(each, "inner_optimizer", each), "look_ahead"):
                raise ValueError(f"{who} needs optimizers that step after the gradient. Received: {each!r}")
        super().compile(optimizer=optimizer, **kwargs)  # type: ignore[misc]
        self.optimizer.build(self.first_variables)
        self.discriminator_optimizer = None
        if self.second_variables is not None:
            scaled = isinstance(self.optimizer, keras.optimizers.LossScaleOptimizer)
            if scaled and not isinstance(judge, keras.optimizers.LossScaleOptimizer):
                judge = keras.optimizers.LossScaleOptimizer(judge)
            self.discriminator_optimizer = judge
            judge.build(self.second_variables)

    def get_compile_config(self) -> dict[str, Any]:
        """What `compile` was given; Keras itself would remember one optimizer."""
        config: dict[str, Any] = super().get_compile_config()  # type: ignore[misc]
        if config and self.discriminator_optimizer is not None:
            judge = self.discriminator_optimizer
            config["discriminator_optimizer"] = keras.saving.serialize_keras_object(judge)
        return config

    def compile_from_config(self, config: dict[str, Any]) -> None:
        self.compile(**keras.saving.deserialize_keras_object(config))

    def part_of_mean(self, costs: Any, weight: Any, total: Any, penalties: Any = ()) -> Any:
        """This replica's part of the mean over the rows of all.

        Args:
            costs: tensor (B,), one a row.
            weight: tensor of B values, or None.
            total: int or integer tensor, rows of all replicas.
            penalties: scalar tensors, the regularizers' of this player.

        Returns:
            Scalar tensor.
        """
        mean = ops.sum(self.weighted(costs, weight)) / ops.cast(total, costs.dtype)
        return mean + sum(self._aggregate_additional_loss(penalty) for penalty in penalties)

    @staticmethod
    def weighted(costs: Any, weight: Any) -> Any:
        """costs (B,) times their weights, or as they are."""
        return costs if weight is None else costs * ops.reshape(ops.cast(weight, costs.dtype), (-1,))
