import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.ops.decoding import beam, greedy, sample, sampled_tokens

SIZE, LENGTH, END, PAD = 3, 4, 2, 0
START = np.array([0, 1, 2], "int32")


def network(seed=0, forbid_end=False):
    """A step whose logits depend on all tokens so far, through a nested state: vectors and a counter."""
    generator = np.random.default_rng(seed)
    mixing, reading, names = (
        generator.normal(size=shape).astype("float32") for shape in ((SIZE, 5), (5, SIZE), (3, SIZE))
    )
    if forbid_end:
        reading[:, END], names[:, END] = 0.0, -1e9

    def step(tokens, state, context):
        h = ops.tanh(0.7 * state["h"][0] + ops.take(mixing, tokens, axis=0) * ops.cast(1 + state["t"], "float32"))
        logits = 2.0 * ops.matmul(h, reading) + ops.take(names, context, axis=0)
        return logits, {"h": [h], "t": state["t"] + 1}

    return step


def state_of(batch):
    return {"h": [ops.zeros((batch, 5))], "t": ops.cast(0, "int32")}


def decode(how, batch=3, step=None, **settings):
    settings = {"length": LENGTH, "end": END, "pad": PAD, "context": ops.arange(batch), **settings}
    return how(step or network(), state_of(batch), START[:batch], **settings)


def log_prob(step, row, tokens):
    state, last, total = state_of(1), START[row : row + 1], 0.0
    for token in tokens:
        logits, state = step(ops.convert_to_tensor(last), state, ops.array([row]))
        total += float(ops.log_softmax(logits)[0, token])
        last = np.array([token], "int32")
    return total


def all_sequences(step, row):
    found = {}
    for choice in itertools.product(range(SIZE), repeat=LENGTH):
        tokens = choice[: choice.index(END) + 1] if END in choice else choice
        found.setdefault(tokens, log_prob(step, row, tokens)) if tokens not in found else None
    return found


@pytest.fixture(scope="module")
def enumerated():
    return [all_sequences(network(), row) for row in range(3)]


def without_padding(tokens, length):
    return tuple(int(token) for token in tokens[: int(length)])


@pytest.mark.parametrize("power", [0.0, 1.0])
def test_a_beam_as_wide_as_all_sequences_finds_them_all_in_order(enumerated, power):
    width = SIZE**LENGTH
    found = decode(beam, width=width, length_power=power)
    for row, known in enumerate(enumerated):
        ranked = sorted(known, key=lambda tokens: -known[tokens] / len(tokens) ** power)
        log_probs = ops.convert_to_numpy(found.log_probs[row])
        assert np.sum(np.isfinite(log_probs)) == len(known)
        own = [without_padding(*each) for each in zip(found.tokens[row], found.lengths[row], strict=True)]
        assert own[: len(known)] == ranked
        np.testing.assert_allclose(log_probs[: len(known)], [known[each] for each in ranked], rtol=1e-5)
        assert not np.any(ops.convert_to_numpy(found.tokens[row, len(known) :]))


def test_the_best_of_a_narrow_beam_is_no_worse_than_the_greedy_sequence_and_scored_rightly(enumerated):
    narrow, alone = decode(beam, width=4), decode(greedy)
    for row, known in enumerate(enumerated):
        tokens = without_padding(narrow.tokens[row, 0], narrow.lengths[row, 0])
        assert known[tokens] >= known[without_padding(alone.tokens[row], alone.lengths[row])] - 1e-5
        np.testing.assert_allclose(float(narrow.log_probs[row, 0]), known[tokens], rtol=1e-5)


def test_a_beam_of_width_one_is_greedy():
    one, alone = decode(beam, width=1), decode(greedy)
    np.testing.assert_array_equal(one.tokens[:, 0], alone.tokens)
    np.testing.assert_allclose(one.log_probs[:, 0], alone.log_probs, rtol=1e-6)
    np.testing.assert_array_equal(one.lengths[:, 0], alone.lengths)


def test_greedy_takes_the_best_token_at_every_step():
    step, found = network(), decode(greedy)
    for row in range(3):
        tokens = []
        while len(tokens) < LENGTH and END not in tokens:
            tokens.append(max(range(SIZE), key=lambda token: log_prob(step, row, [*tokens, token])))
        assert without_padding(found.tokens[row], found.lengths[row]) == tuple(tokens)
        np.testing.assert_allclose(float(found.log_probs[row]), log_prob(step, row, tokens), rtol=1e-5)


def test_without_an_end_token_every_sequence_has_full_length():
    assert ops.convert_to_numpy(decode(greedy, end=None).lengths).tolist() == [LENGTH] * 3
    assert ops.convert_to_numpy(decode(beam, width=2, end=None).lengths).tolist() == [[LENGTH] * 2] * 3


def test_after_the_end_there_is_padding_alone_and_the_loop_stops():
    calls = []

    def ends_at_once(tokens, state):
        calls.append(1)
        return ops.one_hot(ops.full_like(tokens, END), SIZE) * 9.0, state

    found = greedy(ends_at_once, (), START, length=50, end=END, pad=-1)
    assert ops.convert_to_numpy(found.tokens)[:, :2].tolist() == [[END, -1]] * 3
    assert len(calls) == 1  # eagerly a step is a call


def test_temperature_zero_is_greedy_and_a_seed_repeats():
    cold, alone = decode(sample, seed=[3, 4], temperature=0.0), decode(greedy)
    np.testing.assert_array_equal(cold.tokens, alone.tokens)
    one, other, next_seed = (decode(sample, seed=seed, length=30, end=None) for seed in ([3, 4], [3, 4], [3, 5]))
    np.testing.assert_array_equal(one.tokens, other.tokens)
    assert np.any(ops.convert_to_numpy(one.tokens) != ops.convert_to_numpy(next_seed.tokens))
    shifted = ops.convert_to_numpy(one.tokens)[:, 1:] == ops.convert_to_numpy(next_seed.tokens)[:, :-1]
    assert not shifted.all()  # the draws of one seed do not run into those of the next


def test_samples_are_as_frequent_as_the_network_says(enumerated):
    rows, step = 20_000, network()

    def from_one_row(tokens, state, context):
        return step(tokens, state, ops.zeros_like(context))

    found = sample(
        from_one_row, state_of(rows), np.zeros(rows, "int32"), [0, 1], length=LENGTH, end=END,
        context=ops.zeros((rows,), "int32"),
    )  # fmt: skip
    names, counts = np.unique(ops.convert_to_numpy(found.tokens), axis=0, return_counts=True)
    drawn = {tuple(int(t) for t in name): count / rows for name, count in zip(names, counts, strict=True)}
    for tokens, log_p in enumerated[0].items():
        p = np.exp(log_p)
        share = drawn.get((*tokens, *[PAD] * (LENGTH - len(tokens))), 0.0)
        assert abs(share - p) < 6 * np.sqrt(p * (1 - p) / rows) + 1e-9, tokens


def test_the_top_k_alone_are_drawn_and_temperature_sharpens():
    logits = np.tile(np.array([0.0, 1.0, 2.0, 1.5], "float32"), (5000, 1))
    uniforms = np.random.default_rng(0).uniform(1e-6, 1 - 1e-6, logits.shape).astype("float32")
    two = ops.convert_to_numpy(sampled_tokens(logits, uniforms, top_k=2))
    assert set(np.unique(two)) == {2, 3}
    expected = 1 / (1 + np.exp(-0.5))
    assert abs(np.mean(two == 2) - expected) < 6 * np.sqrt(0.25 / 5000)
    sharp = ops.convert_to_numpy(sampled_tokens(logits, uniforms, temperature=0.25))
    p = np.exp(logits[0] / 0.25) / np.exp(logits[0] / 0.25).sum()
    assert np.max(np.abs(np.bincount(sharp, minlength=4) / 5000 - p)) < 6 * np.sqrt(0.25 / 5000)


SETTINGS = {
    "greedy": (greedy, {}),
    "beam": (beam, {"width": 3, "length_power": 0.5}),
    "sample": (sample, {"seed": [5, 6], "temperature": 0.8, "top_k": 2}),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_eager_graph_xla_and_any_batch_size_agree(name):
    how, settings = SETTINGS[name]

    def run(first, names):
        batch = ops.shape(first)[0]
        state = {"h": [ops.zeros((batch, 5))], "t": ops.cast(0, "int32")}
        return how(network(), state, first, length=LENGTH, end=END, pad=PAD, context=names, **settings)

    wanted = run(ops.convert_to_tensor(START), ops.arange(3))
    signature = [tf.TensorSpec((None,), "int32")] * 2
    for compile_ in (False, True):
        function = tf.function(run, input_signature=signature, jit_compile=compile_, autograph=False)
        for rows in (3, 1):
            found = function(START[:rows], np.arange(rows, dtype="int32"))
            np.testing.assert_array_equal(found.tokens, wanted.tokens[:rows])
            np.testing.assert_allclose(found.log_probs, wanted.log_probs[:rows], rtol=1e-5)


def test_the_length_may_be_a_tensor_in_a_graph():
    step = network()
    run = tf.function(lambda n: decode(greedy, step=step, length=n, end=None).tokens, autograph=False)
    assert tuple(run(tf.constant(7)).shape) == (3, 7)


def test_bad_settings_are_refused_with_what_came():
    for settings, message in (
        ({"length": 0}, "length=0"),
        ({"length": 2.5}, "length=2.5"),
    ):
        with pytest.raises(ValueError, match=message):
            decode(greedy, **settings)
    for how, settings, message in (
        (beam, {"width": 0}, "width=0"),
        (beam, {"width": 2, "length_power": -1.0}, "length_power=-1.0"),
        (sample, {"seed": [0, 0], "temperature": -1.0}, "temperature=-1.0"),
        (sample, {"seed": [0, 0], "top_k": 0}, "top_k=0"),
    ):
        with pytest.raises(ValueError, match=message):
            decode(how, **settings)
    with pytest.raises(ValueError, match="rank 1"):
        greedy(network(), state_of(3), START[:, None], length=2)


def test_sums_of_logarithms_stay_in_float32_for_half_precision_logits():
    def step(tokens, state):
        return ops.cast(ops.ones((ops.shape(tokens)[0], 7)), "float16"), state

    found = greedy(step, (), START, length=40)
    assert keras.backend.standardize_dtype(found.log_probs.dtype) == "float32"
    np.testing.assert_allclose(found.log_probs, [-40 * np.log(7)] * 3, rtol=1e-5)
