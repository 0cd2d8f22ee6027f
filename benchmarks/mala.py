"""Metropolis-adjusted Langevin draws from a normal in 100 dimensions, one chain, against BlackJAX.

Both run a whole chain in one compiled loop, keep every state and say which proposals were kept, with the same step
(BlackJAX's step size is eta of the printed forms, eps^2 / 2), in float32. Ours comes twice: by the kernel's own
`sample`, which draws its noise before the loop, and by `tfp.mcmc.sample_chain`, which draws as it goes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.harness import Contest, main

DIMENSIONS, DRAWS, ETA = 100, 20_000, 0.06


def contests() -> Iterator[Contest]:
    """A normal with standard deviations from 0.5 to 1.5; about 89 % of the proposals are kept."""
    import numpy as np
    import tensorflow as tf
    import tensorflow_probability as tfp

    from keras_course.inference import MetropolisLangevin

    scale = np.linspace(0.5, 1.5, DIMENSIONS).astype("float32")
    kernel = MetropolisLangevin(lambda w: -0.5 * tf.reduce_sum((w / scale) ** 2, -1), ETA, form="eta")
    start = np.zeros(DIMENSIONS, "float32")

    def accepted(_: Any, results: Any) -> Any:
        return results.is_accepted

    @tf.function(jit_compile=True, autograph=False)
    def own_chain(w: Any, seed: Any) -> Any:
        return kernel.sample(DRAWS, w, seed, trace_fn=accepted)

    @tf.function(jit_compile=True, autograph=False)
    def tfp_chain(w: Any, seed: Any) -> Any:
        return tfp.mcmc.sample_chain(DRAWS, w, kernel=kernel, seed=seed, trace_fn=accepted)

    if os.environ.get("OMP_NUM_THREADS") == "1":  # JAX asks no other variable
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    try:
        import blackjax
        import jax
    except ImportError:
        peer, name = None, "blackjax"
    else:
        name = f"blackjax {blackjax.__version__} on jax {jax.__version__}"
        theirs = blackjax.mala(lambda w: -0.5 * jax.numpy.sum((w / scale) ** 2), ETA)

        @jax.jit
        def peer_chain(w: Any, key: Any) -> Any:
            def step(state: Any, key: Any) -> Any:
                state, info = theirs.step(key, state)
                return state, (state.position, info.is_accepted)

            return jax.lax.scan(step, theirs.init(w), jax.random.split(key, DRAWS))[1]

        def peer() -> Any:
            return [np.asarray(part) for part in peer_chain(start, jax.random.PRNGKey(1))]

    def agree(ours: Any, peers: Any) -> str:
        """Other random numbers, so the laws are compared: share of kept proposals, second moments."""
        shares = [float(np.mean(accepted)) for _, accepted in (ours, peers)]
        moments = [float(np.mean((np.asarray(states)[DRAWS // 4 :] / scale) ** 2)) for states, _ in (ours, peers)]
        if abs(shares[0] - shares[1]) > 0.01 or max(abs(moment - 1) for moment in moments) > 0.05:
            raise ValueError(f"the chains should obey one law. Received: kept {shares}, second moments {moments}")
        kept, second = (" and ".join(f"{value:.3f}" for value in pair) for pair in (shares, moments))
        return f"kept {kept} of the proposals, second moments {second} of the target's"

    for chain, by, limits in ((own_chain, "sample", {1: 0.8, 2: 0.8}), (tfp_chain, "sample_chain", None)):

        def ours(chain: Any = chain) -> Any:
            return [part.numpy() for part in chain(tf.constant(start), tf.constant([0, 1]))]

        title = f"MALA by {by}, a normal in {DIMENSIONS} dimensions, one chain, float32: ms a draw, {DRAWS} a run"
        yield Contest(title, ours, peer, name, xla=True, work=DRAWS, limits=limits, agree=agree)


if __name__ == "__main__":
    sys.exit(main("benchmarks.mala", contests))
