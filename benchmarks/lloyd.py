"""Lloyd's algorithm: n = 100,000 points, 32 features, 64 clusters, float32, against scikit-learn.

Both start from the same centres and do ten iterations of `fit`, data checks and everything else of a call included.
"""

from __future__ import annotations

import sys

from benchmarks.harness import Contest, main

SAMPLES, FEATURES, CLUSTERS, ITERATIONS = 100_000, 32, 64, 10


def contest() -> Contest:
    """The data overlap, so that neither side converges early."""
    import numpy as np

    from keras_course.models.latent import KMeans

    draws = np.random.Generator(np.random.Philox(0))
    centres = draws.normal(size=(CLUSTERS, FEATURES)) / 2
    x = (centres[draws.integers(CLUSTERS, size=SAMPLES)] + draws.normal(size=(SAMPLES, FEATURES))).astype("float32")
    start = x[:CLUSTERS].copy()

    model = KMeans(CLUSTERS, FEATURES, centres=start)
    model.compile(jit_compile=True)

    def ours() -> float:
        model.start(start)
        history = model.fit(x, epochs=ITERATIONS, verbose=0)
        if len(history.epoch) != ITERATIONS:
            raise RuntimeError(f"ours ended after {len(history.epoch)} iterations")
        return float(model.centres.numpy().sum())

    try:
        import sklearn
        from sklearn.cluster import KMeans as Peer
    except ImportError:
        peer, name = None, "scikit-learn"
    else:
        name = f"scikit-learn {sklearn.__version__} KMeans, algorithm lloyd"

        def peer() -> float:
            other = Peer(CLUSTERS, init=start, n_init=1, max_iter=ITERATIONS, tol=0, algorithm="lloyd").fit(x)
            if other.n_iter_ != ITERATIONS:
                raise RuntimeError(f"the peer ended after {other.n_iter_} iterations")
            return float(other.cluster_centers_.sum())

    title = f"Lloyd, n = {SAMPLES}, d = {FEATURES}, k = {CLUSTERS}, float32: ms an iteration, {ITERATIONS} a fit"
    return Contest(title, ours, peer, name, xla=True, work=ITERATIONS, limits={1: 1.25, 2: 1.6})


if __name__ == "__main__":
    sys.exit(main("benchmarks.lloyd", contest))
