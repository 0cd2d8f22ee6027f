"""How probable a model finds labels it has not seen: the score by which output distributions are compared.

score = (1 / N) sum_i log p(y_i | x_i)      nats a sample; higher is better
"""

from __future__ import annotations

from typing import Any

import keras

from keras_course.core.serial import register
from keras_course.distributions.families import get_family


@register("MeanLogLikelihood")
class MeanLogLikelihood(keras.metrics.Mean):
    """Mean of log p(y | x) over samples: the loss's opposite, without regularisation terms.

        score = sum_i weight_i log p(y_i | x_i) / sum_i weight_i

    Args:
        family: a `DistributionOutput`, a `Family`, or a family's name.
        event_size, components, component_family: as in `DistributionOutput`, for a family given by name.
        name: str.
        dtype: as keras.metrics.Metric.

    Example:
        >>> metric = MeanLogLikelihood("bernoulli")
        >>> metric.update_state([[1.0]], [[0.0]])
        >>> round(float(metric.result()), 6)  # -log 2
        -0.693147

    Source: C 3.2.2; C 4.3.1.
    """

    def __init__(
        self,
        family: Any,
        event_size: int | None = None,
        components: int | None = None,
        component_family: Any = None,
        name: str = "log_likelihood",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.family = get_family(family, event_size, components=components, component_family=component_family)
        self._direction = "up"

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        return super().update_state(self.family.log_prob(y_pred, y_true), sample_weight)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "family": keras.saving.serialize_keras_object(self.family)}
