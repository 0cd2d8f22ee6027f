"""Planted bugs in losses and metrics. `Logistic` and `MeanDistance` are the correct twins."""

import keras
from keras import ops

from reference_tests.conformance.mutant import Mutant, planted

LOSS_MUTANTS: list[Mutant] = []
METRIC_MUTANTS: list[Mutant] = []
SIGNED = {"y_true": {"shape": (6, 1), "dtype": "sign"}, "y_pred": {"shape": (6, 1)}}


def loss_bug(words, caught_by):
    return planted(LOSS_MUTANTS, "loss", words, caught_by, init={"slope": 2.0}, inputs=SIGNED)


def metric_bug(words, caught_by):
    return planted(METRIC_MUTANTS, "metric", words, caught_by)


@keras.saving.register_keras_serializable(package="mutants")
class Logistic(keras.losses.Loss):
    """log(1 + exp(-slope y f)) / slope, y = -1 or +1, (B, 1)."""

    def __init__(self, slope=1.0, reduction="sum_over_batch_size", name="logistic", dtype=None):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.slope = slope

    def margin(self, y_true, y_pred):
        if len(y_true.shape) != len(y_pred.shape):
            raise ValueError(f"Logistic needs equal shapes. Received: {y_true.shape}, {y_pred.shape}")
        return self.slope * y_true * y_pred

    def call(self, y_true, y_pred):
        return ops.mean(ops.softplus(-self.margin(y_true, y_pred)), axis=-1) / self.slope

    def get_config(self):
        return {**super().get_config(), "slope": self.slope, "dtype": self._dtype_policy.name}


@loss_bug("sample weights are ignored", "a_weight_of_two_counts_an_example_twice")
class WeightsIgnored(Logistic):
    def __call__(self, y_true, y_pred, sample_weight=None):
        return super().__call__(y_true, y_pred)


@loss_bug("an example of weight zero still counts in the mean", "a_weight_of_zero_leaves_an_example_out")
class ZeroWeightCounts(Logistic):
    def __call__(self, y_true, y_pred, sample_weight=None):
        if self.reduction == "mean_with_sample_weight":
            self.reduction = "mean"
        return super().__call__(y_true, y_pred, sample_weight)


@loss_bug("a sum where a mean was asked for", "reductions_agree")
class SumInsteadOfMean(Logistic):
    def __call__(self, y_true, y_pred, sample_weight=None):
        self.reduction = self.reduction and "sum"
        return super().__call__(y_true, y_pred, sample_weight)


@loss_bug("labels (B,) broadcast against predictions (B, 1)", "a_missing_last_axis_does_not_broadcast")
class BroadcastsLabels(Logistic):
    def margin(self, y_true, y_pred):
        return self.slope * y_true * y_pred


@loss_bug("a mean over the batch inside call", "values_do_not_depend_on_the_batch")
class BatchMeanInside(Logistic):
    def call(self, y_true, y_pred):
        values = super().call(y_true, y_pred)
        return values + 0.1 * ops.mean(values)


@loss_bug("exp overflows", "edges_stay_finite")
class NaiveExponential(Logistic):
    def call(self, y_true, y_pred):
        return ops.mean(ops.log(1 + ops.exp(-self.margin(y_true, y_pred))), axis=-1) / self.slope


@loss_bug("float32 in the middle", "float64_is_really_float64")
class LossInFloat32(Logistic):
    def call(self, y_true, y_pred):
        return ops.cast(ops.cast(super().call(y_true, y_pred), "float32"), y_pred.dtype)


@loss_bug("get_config drops the slope", "config_names_every_argument")
class LossDropsArgument(Logistic):
    def get_config(self):
        config = super().get_config()
        del config["slope"]
        return config


@loss_bug("the gradient is cut", "gradients_are_true")
class LossStopsGradient(Logistic):
    def call(self, y_true, y_pred):
        return super().call(y_true, ops.stop_gradient(y_pred))


@keras.saving.register_keras_serializable(package="mutants")
class MeanDistance(keras.metrics.Metric):
    """Weighted mean of |y - f|, summed over the last axis; 0 on no data."""

    def __init__(self, name="mean_distance", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable(shape=(), initializer="zeros", dtype=self.accumulator, name="total")
        self.count = self.add_variable(shape=(), initializer="zeros", dtype=self.accumulator, name="count")

    @property
    def accumulator(self):
        return self.dtype

    def weighted(self, y_true, y_pred, sample_weight):
        y_true, y_pred = ops.cast(y_true, self.total.dtype), ops.cast(y_pred, self.total.dtype)
        distance = ops.sum(ops.abs(y_true - y_pred), axis=-1)
        weight = ops.ones_like(distance) if sample_weight is None else ops.cast(sample_weight, distance.dtype)
        return distance * weight, weight

    def update_state(self, y_true, y_pred, sample_weight=None):
        distance, weight = self.weighted(y_true, y_pred, sample_weight)
        self.total.assign_add(ops.sum(distance))
        self.count.assign_add(ops.sum(weight))

    def result(self):
        return ops.divide_no_nan(self.total.value, self.count.value)


@metric_bug("a mean of batch means", "any_split_into_batches_gives_one_result")
class MeanOfBatchMeans(MeanDistance):
    def update_state(self, y_true, y_pred, sample_weight=None):
        distance, weight = self.weighted(y_true, y_pred, sample_weight)
        self.total.assign_add(ops.sum(distance) / ops.sum(weight))
        self.count.assign_add(1.0)


@metric_bug("sample weights are ignored", "a_weight_of_two_counts_an_example_twice")
class MetricIgnoresWeights(MeanDistance):
    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(y_true, y_pred)


@metric_bug("sums kept in Python", "state_is_in_tracked_variables")
class PythonSums(MeanDistance):
    sums = (0.0, 0.0)

    def update_state(self, y_true, y_pred, sample_weight=None):
        distance, weight = self.weighted(y_true, y_pred, sample_weight)
        self.sums = (self.sums[0] + ops.sum(distance), self.sums[1] + ops.sum(weight))

    def result(self):
        return ops.divide_no_nan(*(ops.convert_to_tensor(part, "float32") for part in self.sums))

    def reset_state(self):
        self.sums = (0.0, 0.0)


@metric_bug("infinite on no data", "no_data_is_a_documented_answer")
class InfiniteOnNoData(MeanDistance):
    def result(self):
        return (self.total.value + 1e-30) / self.count.value


@metric_bug("reset leaves the count", "reset_forgets_everything")
class ResetForgetsToForget(MeanDistance):
    def reset_state(self):
        self.total.assign(0.0)


@metric_bug("a running mean, which does not add over replicas", "replicas_add_up")
class RunningMean(MeanDistance):
    def update_state(self, y_true, y_pred, sample_weight=None):
        distance, weight = self.weighted(y_true, y_pred, sample_weight)
        self.count.assign_add(ops.sum(weight))
        self.total.assign_add((ops.sum(distance) - self.total * ops.sum(weight)) / self.count)

    def result(self):
        return self.total.value + 0.0


@metric_bug("float32 sums whatever the dtype", "dtypes_are_kept")
class MetricInFloat32(MeanDistance):
    @property
    def accumulator(self):
        return "float32"
