"""EM for a Gaussian mixture: n = 50,000, 16 features, 16 components, full covariances, float64, against scikit-learn.

Both start from the same parameters and do ten iterations of `fit`, data checks and everything else of a call included.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

from benchmarks.harness import Contest, main, require_close

SAMPLES, FEATURES, COMPONENTS, ITERATIONS = 50_000, 16, 16, 10


def contest() -> Contest:
    """Overlapping components, so that neither side converges early."""
    import numpy as np

    from keras_course.models.latent import GaussianMixture

    draws = np.random.Generator(np.random.Philox(0))
    centres = draws.normal(size=(COMPONENTS, FEATURES))
    x = centres[draws.integers(COMPONENTS, size=SAMPLES)] + draws.normal(size=(SAMPLES, FEATURES))
    start = (
        np.full(COMPONENTS, 1 / COMPONENTS), x[:COMPONENTS].copy(), np.stack([np.eye(FEATURES) * 4.0] * COMPONENTS),
    )  # fmt: skip

    model = GaussianMixture(COMPONENTS, FEATURES, tolerance=0.0, dtype="float64")
    model.compile(jit_compile=True)

    def ours() -> Any:
        model.start(*start)
        history = model.fit(x, epochs=ITERATIONS, verbose=0)
        return history.history["log_likelihood"][-1], model.means.numpy(), lambda: model.predict(x, verbose=0).argmax(1)

    try:
        import sklearn
        from sklearn.mixture import GaussianMixture as Peer
    except ImportError:
        peer, name = None, "scikit-learn"
    else:
        name = f"scikit-learn {sklearn.__version__} GaussianMixture"
        warnings.filterwarnings("ignore", category=sklearn.exceptions.ConvergenceWarning)

        def peer() -> Any:
            other = Peer(
                COMPONENTS, weights_init=start[0], means_init=start[1], precisions_init=np.linalg.inv(start[2]),
                max_iter=ITERATIONS, tol=0,
            ).fit(x)  # fmt: skip
            return other.lower_bound_, other.means_, lambda: other.predict(x)

    def agree(ours: Any, peers: Any) -> str:
        require_close("mean log-likelihoods", ours[0], peers[0], 1e-5)
        require_close("means", ours[1], peers[1], 1e-5)
        differing = int(np.sum(ours[2]() != peers[2]()))
        if differing > SAMPLES * 1e-4:
            raise ValueError(f"assignments should agree but for rounding. Received: {differing} of {SAMPLES} differ")
        return f"log-likelihood and means within 1e-5, {SAMPLES - differing} of {SAMPLES} assignments equal"

    sizes = f"n = {SAMPLES}, d = {FEATURES}, k = {COMPONENTS}"
    title = f"GMM EM, {sizes}, full, float64: ms an iteration, {ITERATIONS} a fit"
    return Contest(title, ours, peer, name, xla=True, work=ITERATIONS, limits={1: 0.55, 2: 0.35}, agree=agree)


if __name__ == "__main__":
    sys.exit(main("benchmarks.gmm", contest))
