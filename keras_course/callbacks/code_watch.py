"""What a model with codes says when it breaks: whose numbers are none, whose sigma collapses, which units are dead.

    NonFiniteLossError   log p(x | z) or the divergence is not finite after a step: names decoder or encoder, its layer
    DecoderScaleCollapse the least sigma of p(x | z) < least * spread of x: the likelihood grows for ever
    EncoderScaleCollapse the least sigma of q(z | x) < least: the code is no longer a distribution
    PosteriorCollapse    no unit active for `patience` epochs: q(z | x) is the prior, and x is drawn without a code

A model serves if it has `code_statistics(x)`: mean and scale of q, (N, Z) each, its divergence (N, G), and the
decoder's scale (N, D) where p(x | z) is a density, None where it is a probability (which cannot exceed 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from keras_course.callbacks.scale_watch import SAMPLE, ScaleCollapse, require_least
from keras_course.callbacks.training_reports import ReportingCallback, TrainingReport
from keras_course.core.errors import NonFiniteLossError
from keras_course.core.shapes import require_positive_int
from keras_course.ops.elbo import active_units
from keras_course.pipeline.guard import finite_loss, first_bad_output, first_bad_weight
from keras_course.pipeline.training_state import restore, state_of

__all__ = [
    "CodeReport",
    "CodeWatch",
    "DecoderScaleCollapse",
    "EncoderScaleCollapse",
    "PosteriorCollapse",
    "code_report",
]


class DecoderScaleCollapse(ScaleCollapse):
    """sigma of p(x | z) has run to 0 somewhere: the likelihood has no bound."""


class EncoderScaleCollapse(ScaleCollapse):
    """sigma of q(z | x) has run to 0 in a unit: its code is no longer a distribution."""


class PosteriorCollapse(TrainingReport):
    """No code unit says anything of x: the model draws without a code."""


class CodeReport(NamedTuple):
    """What the codes of some examples are like.

    Args:
        divergence: array (G,), mean nats of each group of code units.
        active: bool array (Z,), Var_i(E_q[z_j | x_i]) > 0.01.
        encoder_scale: float, the least sigma of q(z | x).
        decoder_scale: float, the least sigma of p(x | z); None where x is discrete.
        pixel: int, where in x that is; None where x is discrete.
    """

    divergence: Any
    active: Any
    encoder_scale: float
    decoder_scale: float | None
    pixel: int | None


def code_report(model: Any, x: Any, threshold: float = 0.01) -> CodeReport:
    """How many code units are in use, what each costs, and how narrow the narrowest bell is.

    Args:
        model: a `VariationalAutoencoder`, `DRAW`, or another model with `code_statistics`.
        x: array (N, *shape), some hundred examples of all kinds.
        threshold: float, variance of a unit's mean over the examples from which it counts as active.

    Returns:
        `CodeReport`.

    Example:
        >>> class Told:
        ...     def code_statistics(self, x):
        ...         return {"mean": x, "scale": 0 * x + 1, "divergence": x**2 / 2, "decoder_scale": None}
        >>> code_report(Told(), np.array([[1.0, 0.0], [-1.0, 0.0]])).active.tolist()
        [True, False]

    Source: Burda, Grosse and Salakhutdinov 2015.
    """
    found = {name: None if value is None else np.asarray(value) for name, value in model.code_statistics(x).items()}
    scale, pixel = found["decoder_scale"], None
    if scale is not None:
        pixel = int(np.argmin(scale.min(axis=0)))
    return CodeReport(
        found["divergence"].mean(axis=0),
        np.asarray(active_units(found["mean"], threshold)),
        float(found["scale"].min()),
        None if scale is None else float(scale.min()),
        pixel,
    )


class CodeWatch(ReportingCallback):
    """Reports by name what breaks a model with codes; `VariationalAutoencoder` and `DRAW` bring one to their own `fit`.

        least sigma of p(x | z) < least * std(x)  ->  `DecoderScaleCollapse`, once
        least sigma of q(z | x) < least           ->  `EncoderScaleCollapse`, once
        no active unit for `patience` epochs      ->  `PosteriorCollapse`, once
        loss not finite after a step              ->  `NonFiniteLossError`

    The error names the decoder or the encoder by the metric that went wrong first, and, if the weights from the
    beginning of the epoch already show it on the examples watched, the layer. These weights are put back.

    Args:
        x: array (N, *shape); the first 64 rows are watched. None watches the loss alone.
        least: float > 0.
        patience: int >= 1.

    Raises:
        ValueError: for arguments out of range.
        NonFiniteLossError: in training, see above.

    Attributes:
        history: {"active_units": one number an epoch, "encoder_scale": ..., "decoder_scale": ... for densities}.

    Example:
        >>> watch = CodeWatch(np.ones((4, 3)))
        >>> watch.history
        {}

    Source: C 19.4, R.
    """

    resume_attributes = ("reported", "history")

    def __init__(self, x: Any = None, least: float = 1e-3, patience: int = 10) -> None:
        super().__init__(finite=())
        require_positive_int("CodeWatch", patience=patience)
        self.x = None if x is None else np.array(x[:SAMPLE])
        self.least, self.patience = require_least("CodeWatch", least), patience
        self.history: dict[str, list[float]] = {}
        self._start: Any = None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._start = state_of(self.model)

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        if finite_loss(logs):
            return
        step = int(self.model.optimizer.iterations)
        part = self._part(logs or {})
        if self._start is None:
            raise NonFiniteLossError(step, part, "the weights are those after the step")
        restore(self.model, self._start)
        layer = None if self.x is None else first_bad_output(self.model, self.x)
        raise NonFiniteLossError(
            step,
            part if layer is None else f"{layer}, so {part}",
            "the weights from the beginning of the epoch were kept",
        )

    def _part(self, logs: Mapping[str, Any]) -> str:
        """Which of the two networks, by the metric that is not finite while the other is."""
        wrong = {name: not np.isfinite(float(logs.get(name, 0.0))) for name in ("reconstruction", "divergence")}
        name = repr(self.model.name)
        if wrong["divergence"]:
            return f"the divergence of the encoder of {name}"
        if wrong["reconstruction"]:
            return f"log p(x | z) of the decoder of {name}"
        return f"the weight {first_bad_weight(self.model)}" if first_bad_weight(self.model) else f"the loss of {name}"

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        super().on_epoch_end(epoch, logs)
        if self.x is None:
            return
        found = code_report(self.model, self.x)
        numbers = {"active_units": int(found.active.sum()), "encoder_scale": found.encoder_scale}
        if found.decoder_scale is not None:
            numbers["decoder_scale"] = found.decoder_scale
        for name, value in numbers.items():
            self.history.setdefault(name, []).append(value)
        self._judge(epoch, found)

    def _judge(self, epoch: int, found: CodeReport) -> None:
        spread = float(np.std(self.x))
        if found.decoder_scale is not None and found.decoder_scale < self.least * (spread or 1.0):
            self.report(
                DecoderScaleCollapse,
                epoch,
                f"sigma of the decoder has collapsed: {found.decoder_scale:.1e} at value {found.pixel} of x, whose "
                f"spread is {spread:.1e}; the likelihood has no bound. A larger minimum_scale of the family gives one.",
            )
        if found.encoder_scale < self.least:
            self.report(
                EncoderScaleCollapse,
                epoch,
                f"sigma of the encoder has collapsed: {found.encoder_scale:.1e}, where the prior's is about 1; the "
                "code is no longer a distribution.",
            )
        recent = self.history["active_units"][-self.patience :]
        if len(self.x) > 1 and len(recent) == self.patience and max(recent) == 0:
            self.report(
                PosteriorCollapse,
                epoch,
                f"the posterior has collapsed: none of {len(found.active)} code units was active in {self.patience} "
                "epochs, so x is drawn without a code. Free bits, or a smaller beta at first, keep units in use.",
            )
