"""Normalizing flows: training steps of 64 numbers, 6 layers, 2 hidden layers of 128, batches of 256, Adam, float32.

MODEL=real-nvp     affine couplings of halves (the default)
MODEL=maf          masked autoregressive layers, forward and backward in turn; tfp's own network in its chain

Against PyTorch, a module as its users write it, and against a chain of TensorFlow Probability's own bijectors under
TransformedDistribution, their networks' weights Keras variables, in the faster of a plain graph and XLA. Same first
weights, same batches, same maths. Ours is `fit` on ready-made batches, all steps in one execution, under
XLA.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.harness import Contest, main, require_close

FEATURES, LAYERS, HIDDEN, BATCH, STEPS, RATE, EPSILON = 64, 6, 128, 256, 64, 1e-3, 1e-7
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
    import tensorflow as tf
    import tensorflow_probability as tfp

    kind = os.environ.get(CHOICE, "real-nvp")
    draws = np.random.Generator(np.random.Philox(0))
    mixing = draws.normal(size=(FEATURES, FEATURES)) / math.sqrt(FEATURES)
    x = np.tanh(draws.normal(size=(STEPS * BATCH, FEATURES)) @ mixing).astype("float32")

    model, torch_peer, tfp_peer = KINDS[kind]()
    model.compile(keras.optimizers.Adam(RATE, epsilon=EPSILON), steps_per_execution=STEPS, jit_compile=True)
    start = [np.array(value) for value in model.get_weights()]
    batches = tf.data.Dataset.from_tensor_slices(x).batch(BATCH).cache()

    def ours() -> Any:
        model.set_weights(start)
        for variable in model.optimizer.variables:
            if variable.path.split("/")[-1] != "learning_rate":
                variable.assign(np.zeros(variable.shape))
        model.fit(batches, epochs=1, verbose=0, shuffle=False)
        return loss(model.trainable_variables)

    def loss(weights: Any) -> float:
        """What these weights make of the data, by our own model."""
        kept = [np.array(variable) for variable in model.trainable_variables]
        for variable, value in zip(model.trainable_variables, weights, strict=True):
            variable.assign(value)
        found = -float(np.mean(model.log_prob(x[:4096])))
        for variable, value in zip(model.trainable_variables, kept, strict=True):
            variable.assign(value)
        return found

    def agree(ours: float, weights: Any) -> str:
        theirs, first = loss(weights), loss(start[: len(model.trainable_variables)])
        require_close("losses after the epoch", ours, theirs, 1e-3)
        return f"loss after the epoch {ours:.3f}, {theirs:.3f}, before it {first:.3f}"

    peers: list[tuple[str, str, Callable[[], Any] | None]] = [
        ("torch", "torch", None) if torch is None else ("torch", f"torch {torch.__version__}", torch_peer(x, start)),
        ("tfp", f"tfp {tfp.__version__} bijectors", None),
    ]  # fmt: skip
    for short, name, peer in peers:
        how = ""
        if short == "tfp":
            peer, how = tfp_peer(x, start)
        title = f"{kind} against {name}{how}: ms a step, {STEPS} a fit"
        limit = LIMITS[kind][short]
        yield Contest(
            title, ours, peer, name + how, xla=True, work=STEPS, limits={1: limit, 2: limit}, agree=agree,
            choices=f"Adam, steps_per_execution {STEPS}",
        )  # fmt: skip


def real_nvp() -> tuple[Any, Callable[..., Any], Callable[..., Any]]:
    """Ours, and what makes the two peers of data and first weights."""
    from keras_course.models.generative.coupling_flows import RealNVP

    model = RealNVP(
        FEATURES, couplings=LAYERS, units=(HIDDEN, HIDDEN), mask="halves", actnorm=False, start_scale=1.0, seed=1
    )  # fmt: skip
    return model, _torch_real_nvp, _tfp_real_nvp


def _torch_real_nvp(x: Any, start: Any) -> Callable[[], Any]:
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


def _torch_run(torch: Any, module: Any, log_prob: Callable[[Any], Any], x: Any, first: Any) -> Callable[[], Any]:
    """An epoch of Adam; parameters in the order of `first`, whose kernels are (out, in)."""
    batches = torch.from_numpy(x).split(BATCH)
    parameters = list(module.parameters())
    first = [torch.from_numpy(value) for value in first]

    def run() -> Any:
        with torch.no_grad():
            for parameter, value in zip(parameters, first, strict=True):
                parameter.copy_(value)
        optimizer = torch.optim.Adam(parameters, RATE, eps=EPSILON)
        for batch in batches:
            optimizer.zero_grad()
            loss = -log_prob(batch).mean()
            loss.backward()
            optimizer.step()
        return [parameter.detach().numpy().T.copy() for parameter in parameters]

    return run


def _tfp_real_nvp(x: Any, start: Any) -> tuple[Callable[[], Any], str]:
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


def _torch_maf(x: Any, start: Any, masks: Any) -> Callable[[], Any]:
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


def _tfp_maf(x: Any, start: Any) -> tuple[Callable[[], Any], str]:
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

    def runner(jit: bool) -> Callable[[], Any]:
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

        def step(i: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = -tf.reduce_mean(distribution.log_prob(batches[i]))
            optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
            return i + 1

        epoch = _epoch(step, jit)

        def run() -> Any:
            for variable, value in zip(weights, first, strict=True):
                variable.assign(value)
            for variable in optimizer.variables:
                if "learning_rate" not in variable.name:
                    variable.assign(np.zeros(variable.shape))
            epoch()
            found = [np.array(variable) for variable in weights]
            return [v for i in range(LAYERS) for v in ours(found[each * i : each * (i + 1)])]

        return run

    return _faster({" in a graph": runner(False), " under XLA": runner(True)})


def _tfp_run(make: Callable[[Any], Any], x: Any, start: Any) -> tuple[Callable[[], Any], str]:
    """An epoch of Adam in one call, in the faster of graph and XLA; `make` builds the distribution of weights."""
    import keras
    import numpy as np
    import tensorflow as tf

    batches = tf.constant(x.reshape(STEPS, BATCH, FEATURES))

    def runner(jit: bool) -> Callable[[], Any]:
        weights = [keras.Variable(value) for value in start]
        optimizer = keras.optimizers.Adam(RATE, epsilon=EPSILON)
        optimizer.build(weights)

        def step(i: Any) -> Any:
            with tf.GradientTape() as tape:
                values = [variable.value for variable in weights]
                loss = -tf.reduce_mean(make([tf.convert_to_tensor(value) for value in values]).log_prob(batches[i]))
            optimizer.apply(tape.gradient(loss, values), weights)
            return i + 1

        epoch = _epoch(step, jit)

        def run() -> Any:
            for variable, value in zip(weights, start, strict=True):
                variable.assign(value)
            for variable in optimizer.variables:
                if variable.path.split("/")[-1] != "learning_rate":
                    variable.assign(np.zeros(variable.shape))
            epoch()
            return [np.array(variable) for variable in weights]

        return run

    return _faster({" in a graph": runner(False), " under XLA": runner(True)})


def _epoch(step: Callable[[Any], Any], jit: bool) -> Callable[[], Any]:
    """All steps in one graph, or a compiled step after the other."""
    import tensorflow as tf

    if not jit:
        return tf.function(  # type: ignore[no-any-return]
            lambda: tf.while_loop(lambda i: i < STEPS, lambda i: (step(i),), (tf.constant(0),)), autograph=False
        )
    compiled = tf.function(step, jit_compile=True, autograph=False)

    def run() -> None:
        for i in range(STEPS):
            compiled(tf.constant(i))

    return run


def _faster(runs: dict[str, Callable[[], Any]]) -> tuple[Callable[[], Any], str]:
    """The run that took less in the best of three, and its name."""
    seconds = {}
    for name, run in runs.items():
        run()
        taken = []
        for _ in range(3):
            begin = time.perf_counter()
            run()
            taken.append(time.perf_counter() - begin)
        seconds[name] = min(taken)
    faster = min(seconds, key=lambda name: seconds[name])
    return runs[faster], faster


KINDS = {"real-nvp": real_nvp, "maf": maf}

if __name__ == "__main__":
    sys.exit(main("benchmarks.flows", contests))
