"""check_model: does a Keras model keep what a Keras model promises?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from keras_course.core.backend import require_tensorflow
from keras_course.testing import configuration, model_files, model_processes, model_training
from keras_course.testing.model_case import ModelCase
from keras_course.testing.report import Report, run_checks

__all__ = ["MODEL_CHECKS", "check_model"]

MODEL_CHECKS = (
    configuration.config_names_every_argument,
    configuration.config_follows_every_argument,
    configuration.config_rebuilds_an_equal_object,
    configuration.registered_under_an_explicit_package,
    model_training.every_variable_is_tracked,
    model_training.a_tiny_fit_improves_the_objective,
    model_training.fit_is_train_on_batch,
    model_training.measures_do_not_depend_on_the_batch_size,
    model_training.predict_is_the_inference_call,
    model_training.eager_graph_and_xla_fits_agree,
    model_training.same_seed_same_weights,
    model_training.killed_and_resumed_is_uninterrupted,
    model_files.weights_file_restores_it,
    model_files.endpoints_answer_without_the_package,
    model_files.keras_file_restores_it,
    model_processes.another_process_gets_the_same_bits,
    model_processes.two_replicas_end_where_one_ends,
)


def check_model(
    cls: type,
    init: Mapping[str, Any] | None = None,
    inputs: Sequence[int] | Mapping[str, Any] = (4, 3),
    *,
    targets: Any = None,
    compile: Callable[[], dict[str, Any]] | None = None,
    steps: int = 20,
    objective: str = "loss",
    direction: str = "min",
    allow: Iterable[type] = (),
    any_split: bool = False,
    sample_weight: Callable[[Any], Any] | None = None,
    texts: Iterable[str] = (),
    skip: Iterable[str] | Mapping[str, str] = (),
    only: Iterable[str] = (),
    raise_on_failure: bool = True,
) -> Report:
    """Holds a model class of one input against the contract of a Keras model.

    Config, tracked variables, a fixed tiny fit, train_on_batch, evaluate and predict for any batch size, execution
    modes, seeds, kill and resume, files, endpoints in a process without the package, equal bits in another process, and
    two replicas that end where one ends. Sets Keras's global seeds; needs the TensorFlow backend; the last three checks
    start two processes.

    Args:
        cls: subclass of keras.Model or core.model.Model, importable by name.
        init: constructor arguments of an example.
        inputs: shape of x with the batch axis first, or a table with one entry as in `check_layer`.
        targets: y: a function of the array x, a description {"shape", "dtype", "max"}, or None if the model needs none.
        compile: function that returns the arguments of model.compile, new objects on every call; None takes SGD and
            the mean squared error. A module-level function can be sent to another process, a lambda cannot.
        steps: full-batch steps of the tiny fit.
        objective: name in evaluate's results that the tiny fit must improve.
        direction: "min" or "max".
        allow: your classes that a saved file names, besides the model's own layers.
        any_split: True if a replica's share of a batch may be empty. Shares of different sizes are what a
            `core.model.Model` is held to in any case; a keras.Model, whose replicas count alike, to equal ones.
        sample_weight: function of the array x that returns the sample weights (N, ...) of a model that cannot learn
            from a tf.data.Dataset of x and y alone; None for all others.
        texts: strings that endpoints of strings are asked with, such as the model can read.
        skip, only, raise_on_failure: as `check_layer`.

    Returns:
        `Report`.

    Raises:
        ConformanceError: if a check failed.
        ValueError: for several inputs, or names of checks that do not exist.

    Example:
        >>> from keras_course.models.perceptrons.mlp import MLP
        >>> report = check_model(MLP, {"features": 3, "units": (4, 1)}, (4, 3), targets=lambda x: x[:, :1],
        ...                      only=["a_tiny_fit_improves_the_objective"])
        >>> report.passed
        True
    """
    require_tensorflow("check_model")
    case = ModelCase(
        cls, init, inputs, targets, compile, steps, objective, direction, allow, any_split, sample_weight, texts
    )
    return run_checks(
        f"check_model({case.label})", MODEL_CHECKS, case, skip=skip, only=only, raise_on_failure=raise_on_failure
    )
