"""The errors a user may meet, each one clear line.

Wrong arguments to layers, losses and ops stay plain `ValueError` with "Received: units=0" at the end, as in Keras;
the classes below are for what goes wrong between files, data, runs and models. All share one base, so that

    except KerasCourseError

catches every failure this package foresaw.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class KerasCourseError(Exception):
    """Base of every error this package raises on purpose."""


class UnknownSlugError(KerasCourseError, LookupError):
    """No such name in the catalogue or registry; the message names the nearest one."""

    def __init__(self, slug: str, known: Iterable[str], what: str = "system") -> None:
        near = get_close_matches(str(slug), list(known), n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        super().__init__(f"No {what} is called {slug!r}.{hint}")
        self.slug = slug
        self.suggestion = near[0] if near else None


class CorruptArtifact(KerasCourseError):
    """A saved model, run or golden that is damaged, incomplete or not what its manifest says."""

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"{path} cannot be trusted: {reason}")
        self.path = path
        self.reason = reason


class ForbiddenClassError(KerasCourseError):
    """A saved model that names a class outside the allow-list; nothing of it was built."""


class UntrackedVariableError(KerasCourseError, ValueError):
    """A variable reachable from a model that Keras does not track: it would silently never train."""


class ReservedNameError(KerasCourseError, TypeError):
    """A model class that defines a name which Keras overwrites on every instance."""


class MissingDataError(KerasCourseError, FileNotFoundError):
    """A data set that is not on this machine and cannot be fetched."""


class CorruptDataError(KerasCourseError, ValueError):
    """A data file whose sha256 is not the recorded one."""


class InvalidDataError(KerasCourseError, ValueError):
    """Data that cannot be trained on: empty, not finite, wrong shape, labels out of range."""


class RunFolderError(KerasCourseError, OSError):
    """A run folder that cannot be written, or is not what it should be."""


class ResumeError(KerasCourseError, ValueError):
    """Checkpoints that do not belong to the model, the callbacks or the settings they are given to."""


class NonFiniteLossError(KerasCourseError, ArithmeticError):
    """The loss became NaN or infinite; names the step and the first tensor that is not finite."""

    def __init__(self, step: int, tensor: str, kept: str = "the last good weights were kept") -> None:
        super().__init__(f"The loss is not finite at step {step}: first non-finite tensor is {tensor}; {kept}.")
        self.step = step
        self.tensor = tensor


class BackendError(KerasCourseError, RuntimeError):
    """A part that needs TensorFlow, used under another Keras backend, or a request that the backend cannot meet."""
