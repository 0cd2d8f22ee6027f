"""Normalizing flows: training steps of 64 numbers, 6 layers, 2 hidden layers of 128, batches of 256, Adam, float32.

MODEL=real-nvp     affine couplings of halves (the default)
MODEL=maf          masked autoregressive layers, forward and backward in turn; tfp's own network in its chain

Against PyTorch, a module as its users write it, and against a chain of TensorFlow Probability's own bijectors under
TransformedDistribution, their networks' weights Keras variables, all steps in one call too, in the fastest of a plain
graph, a program of XLA a step, and one program of XLA for all steps as `tfp.math.minimize` makes it. Same first
weights, same batches, same maths. Ours is `fit` on an array, all steps of the epoch in one execution, under XLA, with
its checks, metrics and callbacks. Weights and optimizers are put back before the clock starts, on every side.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from benchmarks.harness import Contest, main, require_close

FEATURES, LAYERS, HIDDEN, BATCH, STEPS, RATE, EPSILON = 64, 6, 128, 256, 256, 1e-3, 1e-7
CHOICE = "MODEL"
LIMITS = {"real-nvp": {"torch": 0.85, "tfp": 0.65}, "maf": {"torch": 1.0, "tfp": 0.75}}


def contests() -> Iterator[Contest]:
    """Mixed Gaussian numbers; every run starts from the same weights, at rest."""
    try:  # before TensorFlow: torch with CUDA loads a compiler late, and that one's library clashes with TensorFlow's
        import torch
        import torch._dynamo
    except ImportError:
        torch = None
    import keras
    import numpy as np
    import tensorflow_probability as tfp

    kind = os.environ.get(CHOICE, "real-nvp")
    draws = np.random.Generator(np.random.Philox(0))
    mixing = draws.normal(size=(FEATURES, FEATURES)) / math.sqrt(FEATURES)
    x = np.tanh(draws.normal(size=(STEPS * BATCH, FEATURES)) @ mixing).astype("float32")

    model, torch_peer, tfp_peer = KINDS[kind]()
    model.compile(keras.optimizers.Adam(RATE, epsilon=EPSILON), steps_per_execution=STEPS, jit_compile=True)
    start = [np.array(value) for value in model.get_weights()]

    def ours() -> Any:
        model.fit(x, batch_size=BATCH, epochs=1, verbose=0, shuffle=False)
        return model.trainable_variables

    def loss(weights: Any) -> float:
        """What these weights make of the data, by our own model."""
        kept = [np.array(variable) for variable in model.trainable_variables]
        for variable, value in zip(model.trainable_variables, weights, strict=True):
            variable.assign(value)
        found = -float(np.mean(model.log_prob(x[:4096])))
        for variable, value in zip(model.trainable_variables, kept, strict=True):
            variable.assign(value)
        return found

    def agree(ours: Any, weights: Any) -> str:
        ended, theirs, first = loss(ours), loss(weights), loss(start[: len(model.trainable_variables)])
        require_close("losses after the epoch", ended, theirs, 1e-3)
        return f"loss after the epoch {ended:.3f}, {theirs:.3f}, before it {first:.3f}"

    own = {"ours": lambda: put_back(model.variables, start) or at_rest(model.optimizer.variables)}
    for short, name in (
        ("torch", f"torch {torch.__version__}" if torch else "torch"),
        ("tfp", f"tfp {tfp.__version__}"),
    ):
        how, peer, before = "", None, own
        if short == "tfp":
            run, how = tfp_peer(x, start)
        else:
            run = torch_peer(x, start) if torch else None
        if run is not None:
            peer, before = run.epoch, {**own, "peer": run.reset}
        title = f"{kind} against {name}: ms a step, {STEPS} a fit"
        limit = LIMITS[kind][short]
        yield Contest(
            title, ours, peer, name + how, xla=True, work=STEPS, limits={1: limit, 2: limit}, agree=agree,
            choices=f"Adam, steps_per_execution {STEPS}", before=before,
        )  # fmt: skip


class Run(NamedTuple):
    """An epoch of a peer, which returns its weights in our order, and what puts it back."""

    epoch: Callable[[], Any]
    reset: Callable[[], None]


def put_back(variables: Any, values: Any) -> None:
    """Gives every variable its value."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def at_rest(variables: Any) -> None:
    """Puts an optimizer of Keras, 2 or 3, back to its first step."""
    import numpy as np

    for variable in variables:
        if "learning_rate" not in getattr(variable, "path", variable.name):
            variable.assign(np.zeros(variable.shape))


def real_nvp() -> tuple[Any, Callable[..., Any], Callable[..., Any]]:
    """Ours, and what makes the two peers of data and first weights."""
    from keras_course.models.generative.coupling_flows import RealNVP

    model = RealNVP(
        FEATURES, couplings=LAYERS, units=(HIDDEN, HIDDEN), mask="halves", actnorm=False, start_scale=1.0, seed=1
    )  # fmt: skip
    return model, _torch_real_nvp, _tfp_real_nvp


def _torch_real_nvp(x: Any, start: Any) -> Run:
    import numpy as np
    import torch

    half = FEATURES // 2

    class Coupling(torch.nn.Module):
        def __init__(self, flip: bool) -> None:
            super().__init__()
            self.flip = flip
            self.network = torch.nn.Sequential(
                torch.nn.Linear(half, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, HIDDEN), torch.nn.ReLU(),
                torch.nn.Linear(HIDDEN, FEATURES),
            )  # fmt: skip

        def forward(self, x: Any) -> tuple[Any, Any]:
            kept, moved = x.chunk(2, dim=1)
            if self.flip:
                kept, moved = moved, kept
            raw, shift = self.network(kept).chunk(2, dim=1)
            log_scale = 2 * torch.tanh(raw / 2)
            moved = moved * torch.exp(log_scale) + shift
            parts = (moved, kept) if self.flip else (kept, moved)
            return torch.cat(parts, dim=1), log_scale.sum(1)

    couplings = torch.nn.ModuleList([Coupling(bool(i % 2)) for i in range(LAYERS)])

    def log_prob(z: Any) -> Any:
        total = 0
        for coupling in couplings:
            z, log_det = coupling(z)
            total = total + log_det
        return total - 0.5 * (z**2).sum(1) - 0.5 * FEATURES * math.log(2 * math.pi)

    return _torch_run(torch, couplings, log_prob, x, [np.ascontiguousarray(value.T) for value in start])


def _torch_run(torch: Any, module: Any, log_prob: Callable[[Any], Any], x: Any, first: Any) -> Run:
    """An epoch of Adam; parameters in the order of `first`, whose kernels are (out, in)."""
    batches = torch.from_numpy(x).split(BATCH)
    parameters = list(module.parameters())
    first = [torch.from_numpy(value) for value in first]
    optimizer: Any = None

    def reset() -> None:
        nonlocal optimizer
        with torch.no_grad():
            for parameter, value in zip(parameters, first, strict=True):
                parameter.copy_(value)
        optimizer = torch.optim.Adam(parameters, RATE, eps=EPSILON)

    def run() -> Any:
        for batch in batches:
            optimizer.zero_grad()
            loss = -log_prob(batch).mean()
            loss.backward()
            optimizer.step()
        return [parameter.detach().numpy().T.copy() for parameter in parameters]

    return Run(run, reset)


def _tfp_real_nvp(x: Any, start: Any) -> tuple[Run, str]:
    import tensorflow as tf
    import tensorflow_probability as tfp

    tfb, half, each = tfp.bijectors, FEATURES // 2, 6

    def make(weights: Any) -> Any:
        def network(layer: int) -> Callable[..., Any]:
            w1, b1, w2, b2, w3, b3 = weights[each * layer : each * (layer + 1)]

            def shift_and_log_scale(kept: Any, units: int, **_: Any) -> tuple[Any, Any]:
                hidden = tf.nn.relu(tf.matmul(kept, w1) + b1)
                raw, shift = tf.split(tf.matmul(tf.nn.relu(tf.matmul(hidden, w2) + b2), w3) + b3, 2, axis=-1)
                return shift, 2 * tf.tanh(raw / 2)

            return shift_and_log_scale

        couplings = [
            tfb.Invert(tfb.RealNVP(num_masked=-half if i % 2 else half, shift_and_log_scale_fn=network(i)))
            for i in range(LAYERS)
        ]
        base = tfp.distributions.MultivariateNormalDiag(tf.zeros(FEATURES))
        return tfp.distributions.TransformedDistribution(base, tfb.Chain(couplings))  # the last reads z

    return _tfp_run(make, x, start)


def maf() -> tuple[Any, Callable[..., Any], Callable[..., Any]]:
    """Ours, and what makes the two peers of data and first weights."""
    from keras_course.models.generative.masked_flows import MAF

    model = MAF(
        FEATURES, LAYERS, (HIDDEN, HIDDEN), actnorm=False, log_scale_bound=None, start_scale=0.5, seed=1
    )  # fmt: skip
    networks = [flow.network for flow in model.flow.flows]
    masks = [
        [np_of(layer.masked_kernel()) != 0 for layer in (*network.hidden, network.to_outputs)] for network in networks
    ]
    return model, lambda x, start: _torch_maf(x, start, masks), _tfp_maf


def np_of(tensor: Any) -> Any:
    """A NumPy copy."""
    import numpy as np

    return np.array(tensor)


def _torch_maf(x: Any, start: Any, masks: Any) -> Run:
    import numpy as np
    import torch

    class MaskedLinear(torch.nn.Linear):
        def __init__(self, mask: Any) -> None:
            super().__init__(*mask.shape)
            self.register_buffer("mask", torch.from_numpy(np.ascontiguousarray(mask.T.astype("float32"))))

        def forward(self, x: Any) -> Any:
            return torch.nn.functional.linear(x, self.weight * self.mask, self.bias)

    def network(layer: Any) -> Any:
        first, second, last = (MaskedLinear(mask) for mask in layer)
        return torch.nn.Sequential(first, torch.nn.ReLU(), second, torch.nn.ReLU(), last)

    networks = torch.nn.ModuleList([network(layer) for layer in masks])

    def log_prob(z: Any) -> Any:
        total = 0
        for network in networks:
            log_scale, shift = network(z).chunk(2, dim=1)
            z = (z - shift) * torch.exp(-log_scale)
            total = total - log_scale.sum(1)
        return total - 0.5 * (z**2).sum(1) - 0.5 * FEATURES * math.log(2 * math.pi)

    return _torch_run(torch, networks, log_prob, x, [np.ascontiguousarray(value.T) for value in start])


def _tfp_maf(x: Any, start: Any) -> tuple[Run, str]:
    """Its networks hold Keras 2 weights, kept masked by a constraint that Keras 2's optimizer heeds."""
    import numpy as np
    import tensorflow as tf
    import tensorflow_probability as tfp
    import tf_keras

    tfb, batches, each = tfp.bijectors, tf.constant(x.reshape(STEPS, BATCH, FEATURES)), 6

    def theirs(values: list[Any]) -> list[Any]:
        """Our last kernel and bias, all log scales before all shifts, as theirs: shift and log scale of each number."""
        turned = [v.reshape(*v.shape[:-1], 2, FEATURES)[..., ::-1, :] for v in values[4:]]
        return [*values[:4], *(np.swapaxes(v, -1, -2).reshape(*v.shape[:-2], -1) for v in turned)]

    def ours(values: list[Any]) -> list[Any]:
        turned = [np.swapaxes(v.reshape(*v.shape[:-1], FEATURES, 2), -1, -2)[..., ::-1, :] for v in values[4:]]
        return [*values[:4], *(v.reshape(*v.shape[:-2], -1) for v in turned)]

    def runner(how: str) -> Run:
        networks = [
            tfb.AutoregressiveNetwork(
                2, FEATURES, hidden_units=[HIDDEN, HIDDEN], activation="relu",
                input_order=("left-to-right", "right-to-left")[i % 2],
            )
            for i in range(LAYERS)
        ]  # fmt: skip
        for network in networks:
            network.build((None, FEATURES))
        open_ = [[np.array(weight) != 0 for weight in network.trainable_variables] for network in networks]
        weights = [weight for network in networks for weight in network.trainable_variables]
        first = []
        for i in range(LAYERS):
            values = theirs(list(start[each * i : each * (i + 1)]))
            first += [v * mask if v.ndim == 2 else v for v, mask in zip(values, open_[i], strict=True)]
        optimizer = tf_keras.optimizers.Adam(RATE, epsilon=EPSILON, jit_compile=False)
        optimizer.build(weights)
        chain = tfb.Chain([tfb.MaskedAutoregressiveFlow(network) for network in networks])
        base = tfp.distributions.MultivariateNormalDiag(tf.zeros(FEATURES))
        distribution = tfp.distributions.TransformedDistribution(base, chain)

        def step(batch: Any) -> None:
            with tf.GradientTape() as tape:
                loss = -tf.reduce_mean(distribution.log_prob(batch))
            optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))

        epoch = _epoch(step, batches, how)

        def run() -> Any:
            epoch()
            found = [np.array(variable) for variable in weights]
            return [v for i in range(LAYERS) for v in ours(found[each * i : each * (i + 1)])]

        return Run(run, lambda: put_back(weights, first) or at_rest(optimizer.variables))

    return _fastest(runner)


def _tfp_run(make: Callable[[Any], Any], x: Any, start: Any) -> tuple[Run, str]:
    """An epoch of Adam in one call, in the fastest of three ways; `make` builds the distribution of weights."""
    import keras
    import numpy as np
    import tensorflow as tf

    batches = tf.constant(x.reshape(STEPS, BATCH, FEATURES))

    def runner(how: str) -> Run:
        weights = [keras.Variable(value) for value in start]
        optimizer = keras.optimizers.Adam(RATE, epsilon=EPSILON)
        optimizer.build(weights)

        def step(batch: Any) -> None:
            with tf.GradientTape() as tape:
                values = [variable.value for variable in weights]
                loss = -tf.reduce_mean(make([tf.convert_to_tensor(value) for value in values]).log_prob(batch))
            optimizer.apply(tape.gradient(loss, values), weights)

        epoch = _epoch(step, batches, how)

        def run() -> Any:
            epoch()
            return [np.array(variable) for variable in weights]

        return Run(run, lambda: put_back(weights, start) or at_rest(optimizer.variables))

    return _fastest(runner)


WAYS = (" in a graph", " under XLA, a program a step", " under XLA, one program")


def _epoch(step: Callable[[Any], None], batches: Any, how: str) -> Callable[[], Any]:
    """All steps in one call."""
    import tensorflow as tf

    if how == WAYS[1]:
        step = tf.function(step, jit_compile=True, autograph=False)

    def body(i: Any) -> Any:
        step(batches[i])  # XLA would compile a program for each i
        return (i + 1,)

    return tf.function(  # type: ignore[no-any-return]
        lambda: tf.while_loop(lambda i: i < STEPS, body, (tf.constant(0),)),
        autograph=False, jit_compile=how == WAYS[2] or None,
    )  # fmt: skip


def _fastest(runner: Callable[[str], Run]) -> tuple[Run, str]:
    """The run that took least in the best of three, and its name, with what the other ways took."""
    runs, taken = {how: runner(how) for how in WAYS}, {}
    for how, run in runs.items():
        run.reset()
        run.epoch()
        taken[how] = math.inf
        for _ in range(3):
            run.reset()
            begin = time.perf_counter()
            run.epoch()
            taken[how] = min(taken[how], 1e3 * (time.perf_counter() - begin) / STEPS)
    fastest = min(taken, key=lambda how: taken[how])
    others = ",".join(f"{how} {ms:.2f}" for how, ms in taken.items() if how != fastest)
    return runs[fastest], f"{fastest} (ms a step:{others})"


KINDS = {"real-nvp": real_nvp, "maf": maf}

if __name__ == "__main__":
    sys.exit(main("benchmarks.flows", contests))
