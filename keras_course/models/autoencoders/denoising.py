"""The denoising autoencoder: reconstructs clean data from corrupted ones, and so learns where data lie.

    J = mean_i E_noise L(x_i, g(f(x~_i))),   x~ = x under noise
    s(x) = (g(f(x)) - x) / sigma^2           estimates grad log p_sigma(x), under gaussian noise of deviation sigma

Training draws its noise from (seed, step). Evaluation takes `evaluation_draws` fixed patterns of noise, the same for
every example, so that what it reports depends on neither the batch size nor the order.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.model import Endpoint
from keras_course.core.seeds import normal_noise, stateless_seed, uniform_noise
from keras_course.core.serial import register
from keras_course.core.shapes import require_positive_int
from keras_course.models.autoencoders.autoencoder import Autoencoder
from keras_course.ops.corruption import corrupted, require_amount, score_of_reconstruction

__all__ = ["DenoisingAutoencoder"]


@register("DenoisingAutoencoder")
class DenoisingAutoencoder(Autoencoder):
    """An autoencoder that sees x under noise and is to give x back clean.

    J = mean_i L(x_i, g(f(x~_i)))

    `model(x)`, `encode` and `predict` take x as it comes: they add no noise. `reconstruction_error` is that of
    corrupted examples, against the clean ones. A code wider than x is no danger here: the identity does not denoise.

    Endpoints: those of `Autoencoder`, and with gaussian corruption score (x).

    Args:
        shape, code, units: as `Autoencoder`.
        corruption: "gaussian" (amount: standard deviation), "masking" (probability of a 0) or "salt-and-pepper"
            (probability of a 0 or a 1).
        amount: float.
        evaluation_draws: int, fixed patterns of noise that evaluation averages over.
        **kwargs: as `Autoencoder`.

    Input shape:
        (B, *shape).

    Output shape:
        (B, *shape), the reconstruction.

    Raises:
        ValueError: as `Autoencoder`, and for an amount out of range.

    Example:
        >>> model = DenoisingAutoencoder(2, code=3, amount=0.5)
        >>> tuple(model.score(ops.ones((4, 2))).shape)
        (4, 2)

    Source: C 16.5, R; Vincent et al. 2008.
    """

    def __init__(
        self,
        shape: Any,
        code: int,
        units: Any = (),
        corruption: str = "gaussian",
        amount: float = 0.3,
        evaluation_draws: int = 4,
        **kwargs: Any,
    ) -> None:
        require_amount("DenoisingAutoencoder", corruption, amount)
        require_positive_int("DenoisingAutoencoder", evaluation_draws=evaluation_draws)
        super().__init__(shape, code, units, **kwargs)
        self.corruption, self.amount, self.evaluation_draws = corruption, float(amount), evaluation_draws

    def examples(self, x: Any, training: bool) -> tuple[Any, Any]:
        """Clean and corrupted rows; in evaluation one copy of x a pattern of noise, one after the other."""
        rows = ops.shape(x)[0]
        if training:
            first, total = self.share_of_batch(rows)
            noise = self._noise((total, *self.event_shape), self.step_seed("corruption"))[first : first + rows]
            return x, corrupted(x, noise, self.corruption, self.amount)
        count = self.evaluation_draws
        noise = self._noise((count, 1, *self.event_shape), stateless_seed(self.seed, "evaluation", 0))
        clean = ops.broadcast_to(x[None], (count, rows, *self.event_shape))
        noisy = corrupted(clean, noise, self.corruption, self.amount)
        return tuple(ops.reshape(each, (-1, *self.event_shape)) for each in (clean, noisy))

    def _noise(self, shape: Any, seed: Any) -> Any:
        return normal_noise(shape, seed) if self.corruption == "gaussian" else uniform_noise(shape, seed)

    def score(self, x: Any) -> Any:
        """(g(f(x)) - x) / sigma^2, (B, *shape): where and how steeply the density of noisy data rises.

        Raises:
            ValueError: for another corruption than gaussian, or one of amount 0.
        """
        if self.corruption != "gaussian":
            raise ValueError(f"The score follows from gaussian corruption. Received: corruption={self.corruption!r}")
        x = self._checked(x)
        return score_of_reconstruction(x, self(x, training=False), self.amount)

    def endpoints(self) -> dict[str, Endpoint]:
        found = super().endpoints()
        if self.corruption == "gaussian" and self.amount > 0:
            found["score"] = (self.score, found["encode"][1])
        return found

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "corruption": self.corruption,
            "amount": self.amount,
            "evaluation_draws": self.evaluation_draws,
        }
