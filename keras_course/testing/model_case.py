"""The model under test, compiled and fed: what the checks of a model share."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_course.testing.agreement import as_array, require_equal
from keras_course.testing.example_inputs import Described, philox
from keras_course.testing.loss_case import ObjectCase
from keras_course.testing.seeding import set_seeds

__all__ = ["EAGERLY", "ModelCase", "digest_of_weights"]

ROWS = 12
EAGERLY = {"run_eagerly": True, "jit_compile": False}


def digest_of_weights(model: Any) -> str:
    """sha256 over every variable of a model, in order."""
    digest = hashlib.sha256()
    for variable in model.variables:
        digest.update(np.ascontiguousarray(as_array(variable)).tobytes())
    return digest.hexdigest()


def usual_compile() -> dict[str, Any]:
    """Compile arguments of a model for which none were given."""
    return {"optimizer": keras.optimizers.SGD(0.05), "loss": "mse"}


class ModelCase(ObjectCase):
    """What the checks of a model look at.

    Args:
        cls: the model class.
        init: constructor arguments.
        inputs: shape of x, or a table with one entry.
        targets: y from x: a callable of the array, a description like an input's, or None for a model that needs none.
        compile: callable that returns the arguments of `model.compile`, new objects on every call.
        steps: of the tiny fit, on the whole example each.
        objective: name in evaluate's results.
        direction: "min" or "max".
        allow: classes that a saved file may name, besides Keras's, this package's and the model's own layers.
        any_split: whether a replica's share of a batch may be empty.
        texts: what endpoints of strings are asked, taken in turn.
        sample_weight: function of the array x that returns what a tf.data.Dataset must bring besides x and y, or None.
    """

    def __init__(
        self,
        cls: type,
        init: Mapping[str, Any] | None,
        inputs: Any,
        targets: Any = None,
        compile: Callable[[], dict[str, Any]] | None = None,
        steps: int = 20,
        objective: str = "loss",
        direction: str = "min",
        allow: Iterable[type] = (),
        any_split: bool = False,
        sample_weight: Callable[[np.ndarray], np.ndarray] | None = None,
        texts: Iterable[str] = (),
    ) -> None:
        super().__init__(cls, init, inputs)
        if len(self.table.entries) != 1:
            raise ValueError(f"check_model takes models of one input. Received: inputs={list(self.table.entries)}")
        self.targets = targets
        self.compile = compile or usual_compile
        self.steps, self.objective, self.direction = steps, objective, direction
        self.allow = tuple(allow)
        self.any_split = any_split
        self.sample_weight = sample_weight
        self.texts = tuple(texts)
        self.elsewhere: Any = None  # what another process found, once it was asked
        self._found: dict[Any, Any] = {}  # what several checks ask for

    def __getstate__(self) -> dict[str, Any]:
        """Another process finds for itself what this one has found."""
        return {**vars(self), "elsewhere": None, "_found": {}}

    @property
    def x(self) -> np.ndarray:
        """Inputs of the tiny fit."""
        return next(iter(self.table.arrays(ROWS).values()))

    @property
    def y(self) -> np.ndarray | None:
        """Targets of the tiny fit."""
        if self.targets is None:
            return None
        if callable(self.targets):
            return np.asarray(self.targets(self.x))
        entry = self.targets
        described = Described(tuple(entry["shape"]), str(entry.get("dtype", "float32")), int(entry.get("max", 2)))
        return described.draw("targets", ROWS)

    def built(self, **overrides: Any) -> Any:
        """A new model that has its variables."""
        model = self.make(**overrides)
        if not model.built:
            model(self.x[:1])
        return model

    def compiled(self, model: Any = None, **how: Any) -> Any:
        """A built and compiled model; `how` adds run_eagerly or jit_compile."""
        model = self.built() if model is None else model
        model.compile(**{**self.compile(), **how})
        return model

    def eager(self) -> Any:
        """A compiled model without graphs, for checks of what a step does rather than of how it runs: no tracing."""
        return self.compiled(**EAGERLY)

    def fit(self, model: Any, steps: int, anew: bool = True) -> Any:
        """Full-batch steps in the order of the data, as one epoch; y is left out where there is none."""
        if anew:
            set_seeds(1)
        x = np.concatenate([self.x] * steps)
        y = {} if self.y is None else {"y": np.concatenate([self.y] * steps)}
        model.fit(x, **y, batch_size=ROWS, epochs=1, shuffle=False, verbose=0)
        return model

    def weights_after_two_steps(self, **how: Any) -> list[np.ndarray]:
        """Of a compiled model; kept for all who ask, since a step takes long to trace or compile."""
        return self._found[self._two_steps(how)]  # type: ignore[no-any-return]

    def digest(self) -> str:
        """sha256 of the variables of a model, compiled as usual, after three steps."""
        mode = self._two_steps({})
        if "digest" not in self._found:
            self._found["digest"] = digest_of_weights(self.fit(self._found["model", mode], 1, anew=False))
        return self._found["digest"]  # type: ignore[no-any-return]

    def taught(self) -> Any:
        """A model, compiled as usual, after the tiny fit: the one of `digest`, which takes the steps that are left."""
        if self.steps < 4:
            return self.fit(self.compiled(), self.steps)
        self.digest()
        model = self._found.pop(("model", self._two_steps({})), None)
        return self.fit(self.fit(self.compiled(), 3) if model is None else model, self.steps - 3, anew=False)

    def _two_steps(self, how: dict[str, Any]) -> str:
        """The mode in which a model runs that is compiled so, once weights after two steps are found for it."""
        asked = tuple(sorted(how.items()))
        if asked not in self._found:
            model = self.compiled(**how)
            mode = "eager" if model.run_eagerly else "XLA" if model.jit_compile else "graph"
            if mode not in self._found or not (how or ("model", mode) in self._found):
                self._found[mode] = self.fit(model, 2).get_weights()
                if mode == "graph" or not how:
                    self._found["model", mode] = model
            self._found[asked] = mode
        return self._found[asked]  # type: ignore[no-any-return]

    def untaught(self) -> Any:
        """A compiled model without graphs that no check may change."""
        if "untaught" not in self._found:
            self._found["untaught"] = self.eager()
        return self._found["untaught"]

    def after_one_step(self, own: bool = False) -> Any:
        """A compiled model without graphs after one step; the caller may change it if it is `own`."""
        if "after one step" not in self._found:
            self._found["after one step"] = self.fit(self.eager(), 1)
        return self._found.pop("after one step") if own else self._found["after one step"]

    def evaluate(self, model: Any, batch_size: int = ROWS) -> dict[str, float]:
        """evaluate as a dict, without a graph."""
        y = {} if self.y is None else {"y": self.y}
        mode = model.run_eagerly, model.jit_compile
        model.run_eagerly, model.jit_compile = True, False
        try:
            found = model.evaluate(self.x, **y, batch_size=batch_size, verbose=0, return_dict=True)
        finally:
            model.run_eagerly, model.jit_compile = mode
        return {name: float(value) for name, value in found.items()}

    def evaluate_untaught(self) -> dict[str, float]:
        """What `evaluate` says of a model that has learnt nothing."""
        if "measures" not in self._found:
            self._found["measures"] = self.evaluate(self.untaught())
        return self._found["measures"]  # type: ignore[no-any-return]

    def answer(self, model: Any, x: Any = None) -> Any:
        """The model's call in inference mode."""
        return model(ops.convert_to_tensor(self.x if x is None else x), training=False)

    def require_same_behaviour(self, original: Any, rebuilt: Any) -> None:
        """Equal answers of two instances once they have equal weights."""
        for model in (original, rebuilt):
            if not model.built:
                model(self.x[:1])
        rebuilt.set_weights(original.get_weights())
        require_equal(self.answer(rebuilt), self.answer(original), "the rebuilt model's answers")

    def _texts_of(self, shape: tuple[int, ...]) -> np.ndarray:
        if not self.texts:
            raise ValueError("check_model needs `texts` for endpoints of strings. Received: texts=()")
        drawn = list(itertools.islice(itertools.cycle(self.texts), int(np.prod(shape))))
        return np.array([text.encode() for text in drawn]).reshape(shape)

    def endpoint_arguments(self, specs: Iterable[Any], rows: int) -> list[np.ndarray]:
        """Arguments for an endpoint: the example where a name matches, else numbers in (0, 1) or small integers."""
        found = []
        for index, spec in enumerate(specs):
            shape = tuple(rows if size is None else size for size in spec.shape)
            name = getattr(spec, "name", None)
            dtype = keras.backend.standardize_dtype(spec.dtype or "float32")
            if dtype == "string":
                found.append(self._texts_of(shape))
                continue
            entry = next(iter(self.table.entries.values()))
            if index == 0 and shape == (rows, *entry.shape[1:]):
                array = entry.draw(next(iter(self.table.entries)), rows)
            else:
                generator = philox("endpoint", name, index)
                whole = "int" in dtype
                array = generator.integers(0, 2, shape) if whole else generator.uniform(0.05, 0.95, shape)
            found.append(array.astype(dtype))
        return found
