"""A language model of characters: probabilities, one character at a time, texts out of the graph."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_course.losses.softmax import SoftmaxLoss
from keras_course.models import CharacterLM
from keras_course.models.recurrent.alphabet import Alphabet
from keras_course.ops.language import bits_of_symbols


@pytest.fixture(scope="module")
def model():
    made = CharacterLM("cab\n", units=(5, 3), embedding=4)
    for weight in made.trainable_weights:  # far from uniform
        weight.assign(3 * weight)
    return made


def test_probabilities_of_all_texts_of_one_length_sum_to_one(model):
    texts = ["a" + "".join(rest) for rest in itertools.product("cab\n", repeat=4)]
    total = np.exp(np.asarray(model.log_prob(texts)["log_prob"], "float64")).sum()
    assert total == pytest.approx(1.0, abs=1e-5)


def test_texts_of_unequal_length_are_each_as_probable_as_alone(model):
    texts = ["ab", "cab\nabc", "bbb"]
    together = model.log_prob(texts)
    for row, text in enumerate(texts):
        alone = model.log_prob([text])
        for name in ("log_prob", "bits_per_character"):
            np.testing.assert_allclose(together[name][row], alone[name][0], rtol=1e-5)
    bits = np.asarray(together["bits_per_character"])
    np.testing.assert_allclose(bits * [1, 6, 2] * -np.log(2), together["log_prob"], rtol=1e-6)


def test_bits_are_the_logarithm_of_the_quotient_of_exponentials():
    logits = np.random.default_rng(0).normal(size=(3, 5))
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    np.testing.assert_allclose(bits_of_symbols(logits, [4, 0, 2]), -np.log2(p[range(3), [4, 0, 2]]), rtol=1e-6)


def test_a_stream_of_single_characters_ends_where_the_whole_text_ends(model):
    codes, _ = model.alphabet.encode(tf.constant(["abcab\n", "ccbba\n"]))
    state = np.zeros((2, model.state_width), "float32")
    whole = model(codes)
    for t in range(codes.shape[1]):
        found = model.step(codes[:, t], state)
        state = found["state"]
        np.testing.assert_allclose(found["logits"], whole[:, t], atol=1e-5)


def test_temperature_zero_takes_the_likeliest_character_every_time(model):
    text = "ab"
    for _ in range(6):
        codes, _ = model.alphabet.encode(tf.constant([text]))
        text += model.alphabet.characters[int(np.argmax(model(codes)[0, -1]))]
    for seed in (1, 2):
        assert model.sample("ab", 0.0, seed=seed, n=6).numpy().decode() == text[2:]


def test_first_characters_are_drawn_as_often_as_the_model_says(model):
    codes, _ = model.alphabet.encode(tf.constant(["ba"]))
    scores = np.asarray(model(codes)[0, -1], "float64") / 0.7
    p = np.exp(scores) / np.exp(scores).sum()
    draw = tf.function(lambda seed: model.sample(tf.constant("ba"), tf.constant(0.7), seed, tf.constant(1)))
    drawn = [draw(tf.constant([0, seed])).numpy().decode() for seed in range(400)]
    counts = np.array([drawn.count(character) for character in model.alphabet.characters])
    chi_squared = np.sum((counts - 400 * p) ** 2 / (400 * p))
    assert chi_squared < 27.9  # three degrees of freedom: a chance of 4e-6


def test_one_export_reads_and_writes_strings(model, tmp_path):
    model.export(tmp_path / "served")
    served = tf.saved_model.load(str(tmp_path / "served"))
    for text, prompt in ((["ab", "cabcc"], "b"), (["bbbc"], "cab\n")):
        found, wanted = served.log_prob(tf.constant(text)), model.log_prob(text)
        np.testing.assert_allclose(found["log_prob"], wanted["log_prob"], rtol=1e-5)
        how = (tf.constant(1.5), tf.constant([3, 7]), tf.constant(9))
        assert served.sample(tf.constant(prompt), *how).numpy() == model.sample(prompt, *how).numpy()
    with pytest.raises(tf.errors.InvalidArgumentError, match="Received code points"):
        served.log_prob(tf.constant(["abx"]))


def test_what_cannot_be_read_or_written_is_refused(model):
    with pytest.raises(tf.errors.InvalidArgumentError, match="Received code points"):
        model.log_prob(["a?"])
    with pytest.raises(tf.errors.InvalidArgumentError, match="two characters or more"):
        model.log_prob(["a"])
    with pytest.raises(tf.errors.InvalidArgumentError, match="a prompt of one character"):
        model.sample("", 1.0, seed=0, n=3)
    with pytest.raises(ValueError, match="n=0"):
        model.sample("a", 1.0, seed=0, n=0)
    with pytest.raises(ValueError, match="temperature=-1"):
        model.sample("a", -1.0, seed=0, n=3)
    for alphabet in ("a", "aba", ["a", "b"]):
        with pytest.raises(ValueError, match="different characters, at least two"):
            CharacterLM(alphabet)


def test_characters_beyond_ascii_come_back_as_they_went_in():
    alphabet = Alphabet("zé→a")
    codes, lengths = alphabet.encode(tf.constant(["é→", "aaz"]))
    assert codes.numpy().tolist() == [[1, 2, 0], [3, 3, 0]] and lengths.numpy().tolist() == [2, 3]
    assert alphabet.decode(codes[0, :2]).numpy().decode() == "é→"


def windows_of(rows, length, seed=3):
    codes = np.random.default_rng(seed).integers(0, 4, (rows, length + 1)).astype("int32")
    return codes[:, :-1], codes[:, 1:]


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_pieces_with_the_state_carried_over_are_one_long_sequence(cell):
    model = CharacterLM("cab\n", units=(5, 3), embedding=4, cell=cell, truncation=3)
    x, y = windows_of(4, 8)
    state, parts = model.network.start(4), []
    for first in (0, 3, 6):
        logits, state = model.network.carry(model.embedding(x[:, first : first + 3]), state)
        parts.append(np.asarray(logits))
    np.testing.assert_allclose(np.concatenate(parts, axis=1), model(x), rtol=1e-5, atol=1e-6)
    streamed = model.network.start(4)
    for t in range(8):
        streamed = model.step(x[:, t], streamed)["state"]
    np.testing.assert_allclose(state, streamed, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="The state of DeepRNN"):
        model.network.carry(model.embedding(x), state[:, 1:])


def test_a_truncated_step_follows_each_piece_and_no_gradient_passes_between_them():
    x, y = windows_of(4, 6)
    models = [CharacterLM("cab\n", units=(4,), embedding=3, truncation=k, seed=2) for k in (3, 3, None)]
    for made, rate in zip(models, (0.0, 0.5, 0.5), strict=True):
        made.compile(keras.optimizers.SGD(rate), SoftmaxLoss())
    still, model, by_hand = models
    whole = still.evaluate(x, y, verbose=0)
    assert still.fit(x, y, batch_size=4, verbose=0).history["loss"][0] == pytest.approx(whole, rel=1e-6)

    model.fit(x, y, batch_size=4, verbose=0)
    assert int(model.optimizer.iterations) == 2
    state = by_hand.network.start(4)
    for piece in (slice(0, 3), slice(3, 6)):
        with tf.GradientTape() as tape:  # the state is a number here
            logits, after = by_hand.network.carry(by_hand.embedding(x[:, piece]), state, training=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y[:, piece], logits))
        variables = by_hand.trainable_variables
        by_hand.optimizer.apply(tape.gradient(loss, variables), variables)
        state = tf.constant(after.numpy())
    for ours, wanted in zip(model.get_weights(), by_hand.get_weights(), strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-6)


def test_truncation_is_kept_and_impossible_pieces_are_named():
    model = CharacterLM("ab", units=(2,), embedding=2, truncation=5)
    assert CharacterLM.from_config(model.get_config()).truncation == 5
    with pytest.raises(ValueError, match="Received: truncation=0"):
        CharacterLM("ab", truncation=0)
    model.compile("sgd", SoftmaxLoss())
    ragged = tf.data.Dataset.from_generator(
        lambda: [windows_of(1, 4)], output_signature=(tf.TensorSpec((1, None), "int32"),) * 2
    )
    with pytest.raises(ValueError, match="windows of known length"):
        model.fit(ragged, verbose=0)
