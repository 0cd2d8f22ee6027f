"""Re-runs golden cases through the public API and holds every output against its expected value.

    for case x mode (eager, graph, xla) x dtype:  worked example(inputs) -> outputs -> compare -> Record

A golden names a worked example; the example calls its subject through `core.backend.compiled`, so that one function
serves every mode. `use` puts somebody else's class or function in the place of ours for the time of the run.
Goldens are data: this module needs neither pytest nor the oracles.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_course import catalog
from keras_course.core.backend import MODES, execution_mode, is_arithmetic
from keras_course.core.errors import BackendError, CorruptArtifact, UnknownSlugError
from keras_course.core.resources import golden_paths
from keras_course.pipeline.tolerance import Comparison, compare

DTYPES = ("float32", "float64")
_TENSORFLOW_ALONE = ("keras_course.distributions.", "keras_course.optimizers.")  # by themselves, or in their examples


@dataclass(frozen=True)
class Record:
    """One row of the verification table: the case's worst output in one mode and dtype."""

    case: str
    entry: str
    source: str
    kind: str
    backend: str
    device: str
    mode: str
    dtype: str
    error: float | None
    budget: float | None
    ratio: float | None
    verdict: str
    message: str = ""
    command: str = ""

    @property
    def passed(self) -> bool:
        return self.verdict == "pass"

    def row(self) -> dict[str, Any]:
        """The twelve published columns, as JSON can hold them."""
        columns = asdict(self)
        del columns["message"], columns["command"]
        return columns


def load_cases(case: str | None = None, entry: str | None = None) -> list[dict[str, Any]]:
    """The goldens, all or those of one id, one topic or one catalogue entry.

    Args:
        case: a golden's id ("attention/positional-encoding-table") or a topic ("attention").
        entry: a catalogue slug.

    Raises:
        UnknownSlugError: if no golden answers to the name; suggests the nearest.
        CorruptArtifact: if a golden is not JSON.
    """
    goldens = [_read(path) for path in golden_paths()]
    if entry is not None:
        catalog.get(entry)
        goldens = [golden for golden in goldens if golden["entry"] == entry]
    if case is not None:
        found = [golden for golden in goldens if golden["id"] == case or golden["id"].startswith(case + "/")]
        if not found:
            raise UnknownSlugError(case, [golden["id"] for golden in goldens], what="golden case")
        goldens = found
    return goldens


def _read(path: Path) -> dict[str, Any]:
    try:
        golden: dict[str, Any] = json.loads(path.read_text("utf-8"))
        golden["id"], golden["entry"], golden["inputs"], golden["expected"]
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptArtifact(path, f"not a golden case ({error})") from None
    return golden


def example_of(golden: Mapping[str, Any]) -> Callable[..., dict[str, Any]]:
    """The worked example that a golden names (its `example`, or the case's own name).

    Raises:
        CorruptArtifact: if there is no such function.
    """
    topic, _, case = golden["id"].partition("/")
    name = golden.get("example") or case.replace("-", "_")
    function: Callable[..., dict[str, Any]] | None = None
    if (module := _module_that_defines(topic, name)) is not None:
        function = getattr(importlib.import_module(module), name)
    if function is None:
        raise CorruptArtifact(golden["id"], f"keras_course.worked_examples.{topic} has no function {name!r}")
    return function


@cache
def _module_that_defines(topic: str, name: str) -> str | None:
    """The one module `topic` or `topic_<part>` in which the function stands: the others may need TensorFlow."""
    definition = re.compile(rf"^def {re.escape(name)}\(", re.MULTILINE)
    for part in sorted(Path(__file__).parents[1].glob(f"worked_examples/{topic}*.py")):
        if part.stem.split("_")[0] == topic and definition.search(part.read_text("utf-8")):
            return f"keras_course.worked_examples.{part.stem}"
    return None


def verify(
    goldens: Iterable[Mapping[str, Any]],
    *,
    modes: Sequence[str] = MODES,
    dtypes: Sequence[str] = DTYPES,
    device: str = "CPU:0",
    use: Mapping[str, Any] | None = None,
) -> Iterator[Record]:
    """Runs cases over modes and dtypes, yielding one Record each.

    Args:
        goldens: from `load_cases`.
        modes: some of "eager", "graph", "xla".
        dtypes: float dtypes in which to compute.
        device: "CPU:0", "GPU:0"; TF32 is off while verifying.
        use: {"slug" or "slug.member": class or function} that stands in for ours.

    Yields:
        One Record a run. Under Keras's JAX backend kernels, optimizers, distributions, experiments and whatever calls a
        model are left out, and so is float64, which that backend does not compute in.

    Raises:
        ValueError: for an unknown mode, dtype or device.
    """
    for mode in modes:
        if mode not in MODES:
            raise ValueError(f"verify runs in the modes {', '.join(MODES)}. Received: mode={mode!r}")
    for dtype in dtypes:
        if dtype not in DTYPES:
            raise ValueError(f"verify computes in {', '.join(DTYPES)}. Received: dtype={dtype!r}")
    swaps = dict(use or {})
    with _on_device(device):
        for golden in goldens:
            if not runs_here(golden):
                continue
            for dtype in dtypes:
                if dtype == "float64" and keras.backend.backend() == "jax":
                    continue  # parts of Keras's JAX backend fall back to float32, even under JAX_ENABLE_X64
                for mode in modes:
                    if mode != "eager" and not _has_mode(golden, mode):
                        continue
                    if (record := _run(golden, mode, dtype, device, swaps)) is not None:
                        yield record


def runs_here(golden: Mapping[str, Any]) -> bool:
    """Whether this Keras backend may run a case: operations, blocks and the formulas of models run on all."""
    entry = catalog.get(golden["entry"])
    if keras.backend.backend() == "tensorflow":
        return True
    portable = entry.shape in ("op", "block", "model") and not entry.object.startswith(_TENSORFLOW_ALONE)
    return portable and not _wants_tensorflow(golden)


def _wants_tensorflow(golden: Mapping[str, Any]) -> bool:
    """Whether the worked example lies beside models, and TensorFlow is not installed."""
    try:
        example_of(golden)
    except ModuleNotFoundError as error:
        if error.name != "tensorflow":
            raise
        return True
    except CorruptArtifact:
        return False  # the run will say so
    return False


def _has_mode(golden: Mapping[str, Any], mode: str) -> bool:
    """JAX knows no graph without XLA; plain arithmetic knows neither."""
    if mode == "graph" and keras.backend.backend() == "jax":
        return False
    try:
        return not is_arithmetic(example_of(golden))
    except CorruptArtifact:
        return True


def _run(golden: Mapping[str, Any], mode: str, dtype: str, device: str, use: Mapping[str, Any]) -> Record | None:
    """The run's record; None if the example of an op or block is one of a model, and the backend is not TensorFlow."""
    message, worst = "", Comparison(None, 0.0, None)
    try:
        with ExitStack() as stack:
            example = example_of(golden)
            stack.enter_context(_float_dtype(dtype))
            for slug, theirs in use.items():
                if slug.split(".")[0] == golden["entry"]:
                    stack.enter_context(_in_place_of_ours(example, slug, theirs))
            execution = stack.enter_context(execution_mode(mode))
            outputs = example(**{name: as_input(value, dtype) for name, value in golden["inputs"].items()})
            if mode != "eager" and not execution.calls and not is_arithmetic(example):
                raise RuntimeError(f"{example.__name__} computes nothing through compiled(); {mode} was not tested")
            name, worst = _worst_output(golden, outputs, dtype)
            message = f"{name}: {worst.message}" if worst.message else ""
    except Exception as error:  # whatever an implementation under test raises is its verdict
        if isinstance(error, BackendError) and keras.backend.backend() != "tensorflow":
            return None
        last = traceback.extract_tb(error.__traceback__)[-1]
        first_line = (str(error).strip().splitlines() or [""])[0]
        message = f"{type(error).__name__}: {first_line} ({Path(last.filename).name}:{last.lineno})"
        worst = Comparison(None, 0.0, None)
    return Record(
        case=golden["id"], entry=golden["entry"], source=golden["source"], kind=golden["kind"],
        backend=keras.backend.backend(), device=device, mode=mode, dtype=dtype,
        error=worst.error, budget=worst.budget, ratio=worst.ratio,
        verdict="pass" if worst.passed and not message else "fail", message=message,
        command=_command(golden["id"], mode, dtype, device, use),
    )  # fmt: skip


def _worst_output(golden: Mapping[str, Any], outputs: Mapping[str, Any], dtype: str) -> tuple[str, Comparison]:
    expected = golden["expected"]
    if set(outputs) != set(expected):
        return "outputs", Comparison(None, 0.0, None, f"{sorted(outputs)} came, wanted {sorted(expected)}")
    results = [
        (name, compare(value, _to_plain(outputs[name]), golden["tolerance"], dtype, golden=dict(golden)))
        for name, value in expected.items()
    ]
    return max(results, key=lambda result: float("inf") if result[1].ratio is None else result[1].ratio)


def _to_plain(value: Any) -> Any:
    if keras.ops.is_tensor(value) or isinstance(value, keras.Variable):
        return keras.ops.convert_to_numpy(value)
    if isinstance(value, list | tuple):
        return [_to_plain(entry) for entry in value]
    return value


def as_input(value: Any, dtype: str) -> Any:
    """A golden's input as its worked example receives it.

    Nested lists of numbers become tensors: of `dtype` if any is written with a point, int32 if none is, bool for
    truth values. Scalars, strings, lists of strings and tables stay plain Python.
    """
    if not isinstance(value, list):
        return value
    kinds = {type(leaf) for leaf in keras.tree.flatten(value)}
    if not kinds or kinds - {int, float, bool}:
        return value
    if float in kinds:
        return keras.ops.convert_to_tensor(np.asarray(value, dtype="float64"), dtype=dtype)
    return keras.ops.convert_to_tensor(np.asarray(value), dtype="bool" if kinds == {bool} else "int32")


@contextmanager
def _float_dtype(dtype: str) -> Iterator[None]:
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)


@contextmanager
def _on_device(device: str) -> Iterator[None]:
    if keras.backend.backend() == "jax":
        import jax

        with keras.device(device.lower()), jax.default_matmul_precision("highest"):
            yield
        return
    import tensorflow as tf

    kind, _, index = device.partition(":")
    found = tf.config.list_logical_devices(kind.upper())
    if not index.isdigit() or int(index) >= len(found):
        names = [f"{each.device_type}:{each.name.rsplit(':', 1)[1]}" for each in tf.config.list_logical_devices()]
        raise ValueError(f"No such device here; there are {', '.join(names)}. Received: device={device!r}")
    tf32 = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        with tf.device(f"/{device.upper()}"):
            yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(tf32)


@contextmanager
def _in_place_of_ours(example: Callable[..., Any], slug: str, theirs: Any) -> Iterator[None]:
    """Swaps every global of the example's module that is our object for theirs, until the run is over."""
    ours = _part_to_replace(slug, theirs)
    module = sys.modules[example.__module__]
    names = [name for name, value in vars(module).items() if value is ours]
    if not names:
        raise ValueError(f"{module.__name__} does not call {ours.__name__} by name, so nothing can stand in for it")
    for name in names:
        setattr(module, name, theirs)
    try:
        yield
    finally:
        for name in names:
            setattr(module, name, ours)


def _part_to_replace(slug: str, theirs: Any) -> Any:
    slug, _, member = slug.partition(".")
    entry = catalog.get(slug)
    parts = {reference.split(":")[1]: reference for reference in entry.parts}
    if member and member not in parts:
        raise UnknownSlugError(member, parts, what=f"part of {slug}")
    wanted = member or getattr(theirs, "__name__", "")
    return catalog.resolve_member(parts.get(wanted, entry.object))


def _command(case: str, mode: str, dtype: str, device: str, use: Mapping[str, Any]) -> str:
    words = ["keras-course verify", f"--case {case}", f"--mode {mode}", f"--dtype {dtype}"]
    words += [f"--device {device}"] if device != "CPU:0" else []
    words += [
        f"--use {slug}={getattr(theirs, '__module__', '?')}:{getattr(theirs, '__qualname__', '?')}"
        for slug, theirs in use.items()
        if slug.split(".")[0] == catalog.get(slug.split(".")[0]).slug
    ]
    return " ".join(words)
