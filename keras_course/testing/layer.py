"""check_layer: does a Keras layer keep what a Keras layer promises?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from keras_course.core.backend import require_tensorflow
from keras_course.testing import (
    configuration,
    layer_files,
    layer_gradients,
    layer_masks,
    layer_numbers,
    layer_shapes,
    layer_state,
)
from keras_course.testing.layer_case import LayerCase
from keras_course.testing.report import Report, run_checks

__all__ = ["LAYER_CHECKS", "check_layer"]

LAYER_CHECKS = (
    configuration.config_names_every_argument,
    configuration.config_follows_every_argument,
    configuration.config_rebuilds_an_equal_object,
    configuration.registered_under_an_explicit_package,
    layer_shapes.symbolic_shape_is_the_eager_shape,
    layer_shapes.any_batch_size_serves,
    layer_shapes.an_empty_batch_gives_an_empty_output,
    layer_shapes.wrong_rank_is_refused,
    layer_numbers.eager_graph_and_xla_agree,
    layer_numbers.rows_do_not_depend_on_the_batch,
    layer_numbers.inference_repeats_itself,
    layer_numbers.computes_in_mixed_bfloat16,
    layer_numbers.computes_in_mixed_float16,
    layer_numbers.float64_is_really_float64,
    layer_numbers.edges_stay_finite,
    layer_gradients.gradients_reach_every_weight,
    layer_gradients.gradients_are_true,
    layer_gradients.a_compiled_training_step_moves_every_weight,
    layer_state.no_weights_are_made_in_call,
    layer_state.every_variable_is_tracked,
    layer_state.calls_leave_python_attributes_alone,
    layer_state.training_draws_are_fresh,
    layer_state.same_seed_same_draws,
    layer_masks.masks_pass_through,
    layer_masks.masked_steps_do_not_matter,
    layer_files.keras_file_restores_it,
    layer_files.weights_file_restores_it,
    layer_files.saved_model_answers_the_same,
)


def check_layer(
    cls: type,
    init: Mapping[str, Any] | None = None,
    inputs: Sequence[int] | Mapping[str, Any] = (2, 4),
    *,
    skip: Iterable[str] | Mapping[str, str] = (),
    only: Iterable[str] = (),
    raise_on_failure: bool = True,
) -> Report:
    """Holds a layer class against the contract of a Keras layer, in eager mode, as a graph and under XLA.

    Config, shapes, dtype policies, independence of rows, gradients, variables, random draws, masks and all three file
    formats. Sets Keras's global seeds; needs the TensorFlow backend; takes a few seconds.

    Args:
        cls: subclass of keras.layers.Layer.
        init: constructor arguments of an example, values other than the defaults where possible.
        inputs: shape of the example input, batch axis first, or {"name": {"shape": ..., "dtype": ..., "max": ...}}
            as in the catalogue: dtype "float32", "int32" (values below max), "sign", "probability" or "bool".
            Several inputs go to `call` by keyword where it names them all, otherwise as one dict.
        skip: names of checks to leave out, better {name: reason}: the report prints it.
        only: names of the checks to run, for example the one that failed.
        raise_on_failure: False returns the report of a failed run too.

    Returns:
        `Report`, one row a check.

    Raises:
        ConformanceError: if a check failed; the message lists what and where.
        ValueError: for inputs without a shape, or names of checks that do not exist.
        BackendError: under another Keras backend than TensorFlow.

    Example:
        >>> import keras
        >>> report = check_layer(keras.layers.Dense, {"units": 3, "activation": "tanh"}, (2, 4))
        >>> report.passed, [row.check for row in report.rows if row.verdict == "skip"][:2]
        (True, ['training_draws_are_fresh', 'same_seed_same_draws'])
    """
    require_tensorflow("check_layer")
    case = LayerCase(cls, init, inputs)
    return run_checks(
        f"check_layer({case.label})", LAYER_CHECKS, case, skip=skip, only=only, raise_on_failure=raise_on_failure
    )
