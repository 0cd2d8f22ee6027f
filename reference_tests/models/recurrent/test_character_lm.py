"""A language model of characters: probabilities, one character at a time, texts out of the graph."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

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
