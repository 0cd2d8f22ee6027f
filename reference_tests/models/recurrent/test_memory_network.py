"""A memory network: sentences that are not there, hops, tying, the linear start, and words in and out."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.datasets.question_tasks import ANSWERS, TASKS, VOCABULARY, WORDS, question_stories
from keras_course.datasets.stories import encode_stories
from keras_course.losses import SoftmaxLoss
from keras_course.models import MemoryNetwork
from keras_course.ops.memory_hop import memory_hop, position_encoded, story_attention

STORIES = [story for task in TASKS for story in question_stories(0, "some", task, 2)]
X, Y = encode_stories(STORIES, VOCABULARY, ANSWERS, 10, WORDS)


def network(sentences=10, **how):
    return MemoryNetwork(VOCABULARY, ANSWERS, sentences, WORDS, **{"width": 6, "hops": 2, **how})


@pytest.mark.parametrize("tying", ["adjacent", "layer"])
def test_words_in_give_what_numbers_give_live_and_served(tying, tmp_path):
    model = network(sentences=4, tying=tying)
    x, _ = encode_stories(STORIES, VOCABULARY, ANSWERS, 4, WORDS)
    told, asked = [" ".join(story.sentences) for story in STORIES], [story.question for story in STORIES]
    np.testing.assert_array_equal(model.text.numbers(told, asked), x)
    found, looked = model.answer(told, asked), model.look(x)
    np.testing.assert_allclose(found["attention"], looked["attention"], atol=1e-6)
    np.testing.assert_allclose(found["probabilities"], ops.softmax(looked["logits"]), atol=1e-6)
    best = np.argmax(looked["logits"], -1)
    assert [answer.decode() for answer in found["answer"].numpy()] == [ANSWERS[place] for place in best]
    model.export(tmp_path / "served")
    served = tf.saved_model.load(str(tmp_path / "served"))
    for rows in (1, 3):
        answers = served.answer(tf.constant(told[:rows]), tf.constant(asked[:rows]))
        np.testing.assert_array_equal(answers["answer"], found["answer"][:rows])
        np.testing.assert_allclose(answers["probabilities"], found["probabilities"][:rows], atol=1e-6)


def test_texts_without_sentences_and_words_nobody_knows_are_answered_all_the_same():
    model = network(sentences=3)
    numbers = np.asarray(
        model.text.numbers(["", "...", "Ada, RAN to the\nattic!", "Ada snores."], ["", "Who?", "zzz", "Is Ada in?"])
    )
    assert numbers.shape == (4, 4, WORDS) and not numbers[:2, :3].any()
    first = [VOCABULARY.index(word) + 1 for word in ("ada", "ran", "to", "the")]
    assert numbers[2, 1, :4].tolist() == first and numbers[2, 2, 0] == VOCABULARY.index("attic") + 1
    assert numbers[3, 2].tolist() == [1, 0, 0, 0, 0, 0, 0]
    found = model.answer(["", "Ada snores."], ["", "zzz"])
    assert np.all(np.isfinite(found["probabilities"])) and not np.any(found["attention"][0])


def test_a_story_is_the_same_in_a_longer_memory_whatever_stands_in_the_empty_rows():
    short, long = network(sentences=3), network(sentences=5)
    for own, other in zip(short.trainable_variables, long.trainable_variables, strict=True):
        if "ages" in own.name:  # the latest sentence has the last age in both
            other.assign(np.concatenate([np.full((2, 6), 9.0), own], axis=0))
        else:
            other.assign(own)
    x = encode_stories(STORIES, VOCABULARY, ANSWERS, 3, WORDS)[0]
    padded = np.concatenate([np.zeros_like(x[:, :2]), x], axis=1)
    np.testing.assert_allclose(long(padded), short(x), atol=1e-5)


def test_without_ages_the_order_of_sentences_is_not_seen_and_without_places_that_of_words():
    x = X[X[:, :-1].any(-1).sum(1) > 3][:2]
    turned = np.concatenate([x[:, :-1][:, ::-1], x[:, -1:]], axis=1)
    bag = np.where(x > 0, x, 99)
    bag = np.sort(bag, axis=-1)
    bag = np.where(bag == 99, 0, bag)
    old, blind = network(), network(temporal_encoding=False)
    np.testing.assert_allclose(blind(turned), blind(x), atol=1e-6)
    assert np.max(np.abs(old(turned) - old(x))) > 1e-5
    np.testing.assert_allclose(network(position_encoding=False)(bag), network(position_encoding=False)(x), atol=1e-6)
    assert np.max(np.abs(old(bag) - old(x))) > 1e-5


def test_position_encoding_is_its_printed_sum():
    generator = np.random.default_rng(0)
    embedded, count = generator.normal(size=(3, 5, 4)), (5, 2, 0)
    words = np.arange(5)[None] < np.array(count)[:, None]
    for row, number in enumerate(count):
        wanted = np.zeros(4)
        for j in range(1, number + 1):
            for k in range(1, 5):
                wanted[k - 1] += ((1 - j / number) - k / 4 * (1 - 2 * j / number)) * embedded[row, j - 1, k - 1]
        np.testing.assert_allclose(position_encoded(embedded, words)[row], wanted, atol=1e-12)


def test_a_hop_listens_by_softmax_to_those_that_are_there_alone():
    generator = np.random.default_rng(1)
    u, m, c = generator.normal(size=(2, 3)), 100 * generator.normal(size=(2, 4, 3)), generator.normal(size=(2, 4, 5))
    present = np.array([[True, False, True, True], [False] * 4])
    found, attention = memory_hop(u, m, c, present)
    scores = np.where(present[0], m[0] @ u[0], -np.inf)
    wanted = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
    np.testing.assert_allclose(attention, [wanted, np.zeros(4)], atol=1e-12)
    np.testing.assert_allclose(found, [wanted @ c[0], np.zeros(5)], atol=1e-12)
    linear = np.where(present, np.einsum("bsd,bd->bs", m, u), 0)
    np.testing.assert_allclose(story_attention(u, m, present, True), linear, atol=1e-9)
    np.testing.assert_allclose(story_attention(u, m, present, ops.convert_to_tensor(True)), linear, atol=1e-9)


@pytest.mark.parametrize("tying", ["adjacent", "layer"])
def test_gradients_are_those_of_finite_differences_in_float64(tying):
    model = network(tying=tying, dtype="float64", deviation=0.5)
    weights = [w.value for w in model.trainable_variables]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.sin(model(X[:4], training=True)))
    slopes = [tf.convert_to_tensor(slope) for slope in tape.gradient(loss, weights)]
    for weight, slope in zip(model.trainable_variables, slopes, strict=True):
        direction = np.random.default_rng(7).normal(size=weight.shape)
        start, values = np.asarray(weight.value), []
        for sign in (1, -1):
            weight.assign(start + sign * 1e-6 * direction)
            values.append(float(tf.reduce_sum(tf.sin(model(X[:4])))))
        weight.assign(start)
        found = float(np.sum(np.asarray(slope) * direction))
        assert found != 0 and found == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-5)


def test_the_softmax_of_the_hops_comes_in_after_the_linear_start():
    model = network(linear_start=2)
    model.compile(keras.optimizers.SGD(1e-3), SoftmaxLoss())
    sums = []
    for _ in range(3):
        sums.append(np.asarray(model.look(X)["attention"]).sum(-1))
        model.train_on_batch(X, Y)
    assert np.max(np.abs(sums[0] - 1)) > 0.5 and np.max(np.abs(sums[1] - 1)) > 0.5
    np.testing.assert_allclose(sums[2], 1, atol=1e-5)
    np.testing.assert_allclose(np.asarray(network().look(X)["attention"]).sum(-1), 1, atol=1e-5)


def test_tying_says_how_many_tables_there_are():
    assert {w.name for w in network(hops=3).trainable_variables} == {
        f"{n}_{k}" for n in ("words", "ages") for k in range(4)
    }
    names = {"words_0", "words_1", "words_2", "ages_0", "ages_1", "carry", "read_out"}
    assert {w.name for w in network(hops=3, tying="layer").trainable_variables} == names


def test_what_cannot_be_a_network_is_refused():
    with pytest.raises(ValueError, match="tying='all'"):
        network(tying="all")
    with pytest.raises(ValueError, match="linear_start=-1"):
        network(linear_start=-1)
    with pytest.raises(ValueError, match="different strings"):
        MemoryNetwork(("ada", "ada"), ("yes",), 2, 3)
    with pytest.raises(ValueError, match="11 features on axis 1"):
        network()(ops.zeros((2, 4, WORDS), "int32"))
