import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.layers.additive_attention import AdditiveAttention
from keras_course.ops.additive_attention import additive_attention, additive_scores, masked_softmax


@pytest.fixture(scope="module")
def layer():
    made = AdditiveAttention(4)
    made.build((2, 3), (2, 6, 5))
    return made


@pytest.fixture(scope="module")
def example():
    generator = np.random.default_rng(1)
    return generator.normal(size=(2, 7, 3)).astype("float32"), generator.normal(size=(2, 6, 5)).astype("float32")


def by_hand(layer, query, annotations, mask):
    """One place, one unit at a time."""
    W, U, v = (ops.convert_to_numpy(each).astype("float64") for each in layer.trainable_weights)
    contexts, weights = np.zeros((*query.shape[:2], 5)), np.zeros((*query.shape[:2], 6))
    for b, t in np.ndindex(query.shape[:2]):
        powers = np.zeros(6)
        for j in np.flatnonzero(mask[b]):
            score = sum(v[a, 0] * np.tanh(query[b, t] @ W[:, a] + annotations[b, j] @ U[:, a]) for a in range(len(v)))
            powers[j] = np.exp(score)
        if powers.any():
            weights[b, t] = powers / powers.sum()
        contexts[b, t] = weights[b, t] @ annotations[b]
    return contexts, weights


@pytest.mark.parametrize("kind", ["all", "some", "none in a row"])
def test_context_and_weights_are_those_written_out_by_hand(layer, example, kind):
    query, annotations = example
    mask = np.ones((2, 6), bool)
    if kind != "all":
        mask[0, 4:] = False
    if kind == "none in a row":
        mask[1] = False
    context, weights = layer(query, annotations, annotations_mask=mask)
    wanted_context, wanted_weights = by_hand(layer, query, annotations, mask)
    np.testing.assert_allclose(context, wanted_context, atol=1e-6)
    np.testing.assert_allclose(weights, wanted_weights, atol=1e-6)


def test_a_row_without_places_has_zeros_and_finite_gradients(layer, example):
    query, annotations = (tf.constant(each) for each in example)
    mask = np.zeros((2, 6), bool)
    with tf.GradientTape() as tape:
        tape.watch([query, annotations])
        context, weights = layer(query, annotations, annotations_mask=mask)
        total = tf.reduce_sum(context) + tf.reduce_sum(weights**2)
    for gradient in tape.gradient(total, [query, annotations, *layer.trainable_variables]):
        assert not np.any(gradient)
    assert not np.any(context) and not np.any(weights)


def test_what_is_masked_out_has_no_influence(layer, example):
    query, annotations = example
    mask = np.array([[True] * 4 + [False] * 2] * 2)
    changed = np.where(mask[:, :, None], annotations, 1e30)
    for one, other in zip(
        layer(query, annotations, annotations_mask=mask), layer(query, changed, annotations_mask=mask), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_one_step_with_keys_at_hand_equals_the_sequence_of_queries(layer, example):
    query, annotations = example
    context, weights = layer(query, annotations)
    keys = layer.keys(annotations)
    for t in range(query.shape[1]):
        now = layer(query[:, t], annotations, keys=keys)
        np.testing.assert_allclose(now[0], context[:, t], atol=1e-6)
        np.testing.assert_allclose(now[1], weights[:, t], atol=1e-6)


def test_an_image_is_a_sentence_of_its_places_row_by_row(layer, example):
    query, annotations = example
    mask = np.arange(12).reshape(2, 6) % 3 > 0
    flat = layer(query, annotations, annotations_mask=mask)
    image = layer(query, annotations.reshape(2, 2, 3, 5), annotations_mask=mask.reshape(2, 2, 3))
    for one, other in zip(image, flat, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_the_mask_of_an_embedding_reaches_the_layer(example):
    words, layer = keras.layers.Embedding(9, 5, mask_zero=True), AdditiveAttention(4)
    _, weights = layer(example[0][:, 0], words(np.array([[3, 4, 0], [5, 0, 0]])))
    assert ops.convert_to_numpy(weights)[0, 2] == 0
    np.testing.assert_allclose(ops.convert_to_numpy(weights)[1], [1, 0, 0], atol=1e-6)


def test_scores_are_odd_in_the_vector_and_softmax_ignores_a_shift():
    generator = np.random.default_rng(2)
    query, keys, v = (generator.normal(size=shape) for shape in ((2, 4), (2, 3, 4), (4,)))
    np.testing.assert_allclose(additive_scores(query, keys, -v), -additive_scores(query, keys, v), atol=1e-12)
    scores, mask = generator.normal(size=(5, 6)), generator.random((5, 6)) > 0.3
    np.testing.assert_allclose(masked_softmax(scores + 700.0, mask), masked_softmax(scores, mask), atol=1e-12)
    np.testing.assert_allclose(masked_softmax(scores), ops.softmax(scores), atol=1e-12)
    huge = ops.convert_to_numpy(masked_softmax(np.array([[1e4, -1e4, 5.0]]), np.array([[False, True, True]])))
    np.testing.assert_allclose(huge, [[0.0, 0.0, 1.0]])


def test_gradients_equal_finite_differences_in_float64():
    generator = np.random.default_rng(3)
    tensors = [generator.normal(size=shape) for shape in ((2, 4), (2, 3, 4), (2, 3, 5), (4,))]
    mask = np.array([[True, False, True], [True, True, True]])

    def total(*tensors):
        context, weights = additive_attention(*tensors, mask)
        return tf.reduce_sum(context**2) + tf.reduce_sum(weights**3)

    theory, numbers = tf.test.compute_gradient(total, [tf.constant(each) for each in tensors], delta=2.0**-13)
    for one, other in zip(theory, numbers, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-7)


def test_wrong_ranks_and_widths_are_refused_with_what_came(layer, example):
    query, annotations = example
    with pytest.raises(ValueError, match=r"units=0"):
        AdditiveAttention(0)
    with pytest.raises(ValueError, match=r"rank 3 or more.*\(2, 6\)"):
        layer(query, annotations[:, :, 0])
    with pytest.raises(ValueError, match=r"3 features.*\(2, 7, 2\)"):
        layer(query[:, :, :2], annotations)
    with pytest.raises(ValueError, match=r"rank 2 or 3"):
        additive_scores(query[0, 0], annotations, np.ones(4))
