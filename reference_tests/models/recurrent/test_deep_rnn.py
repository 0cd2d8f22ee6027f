"""A stack of recurrent levels: equal to Keras's layers stacked, one step at a time, and as served."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_course.layers import to_keras
from keras_course.models import DeepRNN
from keras_course.recipes.recurrent import deep_rnn, row_by_row, softmax_regression_on_rows

X = np.random.default_rng(0).normal(size=(3, 6, 4)).astype("float32")


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "peephole-lstm"])
def test_a_stream_of_single_steps_ends_where_the_whole_sequence_ends(cell):
    model = DeepRNN(4, 2, units=(3, 5), cell=cell)
    state = np.zeros((3, model.state_width), "float32")
    for t in range(6):
        found = model.step(X[:, t], state)
        state = found["state"]
        np.testing.assert_allclose(found["outputs"], model(X[:, : t + 1]), atol=1e-6)


def test_levels_are_keras_s_layers_on_top_of_each_other():
    model = DeepRNN(4, 2, units=(3, 5), return_sequences=True)
    h = X
    for level in model.levels:
        h, *_ = to_keras(level)(h)
    np.testing.assert_allclose(model(X), model.read_out(h), atol=1e-6)


def test_one_export_serves_any_length_and_streams(tmp_path):
    model = DeepRNN(4, 2, units=(3,), cell="gru")
    model.export(tmp_path / "served")
    served = tf.saved_model.load(str(tmp_path / "served"))
    for rows, length in ((1, 1), (3, 6), (2, 4)):
        np.testing.assert_allclose(served.serving_default(X[:rows, :length]), model(X[:rows, :length]), atol=1e-6)
    state = np.zeros((3, 3), "float32")
    for t in range(6):
        found = served.step(X[:, t], state)
        state = found["state"]
    np.testing.assert_allclose(found["outputs"], model(X), atol=1e-6)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "peephole-lstm"])
def test_a_batch_of_unequal_lengths_is_each_sequence_alone(cell, whole):
    lengths = (6, 1, 4)
    mask = np.arange(6) < np.array(lengths)[:, None]
    model = DeepRNN(4, 2, units=(3, 5), cell=cell, return_sequences=whole, mask_value=9.0)
    padded = np.where(mask[:, :, None], X, np.float32(9))
    for outputs in (model(padded), model(np.where(mask[:, :, None], X, np.float32(7)), mask=mask)):
        for row, length in enumerate(lengths):
            alone = model(X[row : row + 1, :length])[0]
            np.testing.assert_allclose(outputs[row, :length] if whole else outputs[row], alone, atol=1e-6)
    for training in (False, True):
        none = model(np.full((2, 3, 4), 9.0, "float32"), training=training)
        assert np.all(np.isfinite(none)) and np.allclose(none, none[0])


def test_padded_steps_weigh_nothing_in_the_loss_and_in_training():
    mask = np.arange(6) < np.array((6, 1, 4))[:, None]
    padded, targets = np.where(mask[:, :, None], X, np.float32(0)), np.ones((3, 6, 2), "float32")
    longer = [np.pad(each, ((0, 0), (0, 5), (0, 0))) for each in (padded, targets)]
    found = []
    for x, y in ((padded, targets), longer):
        model = DeepRNN(4, 2, units=(3,), return_sequences=True, mask_value=0.0)
        model.compile("sgd", "mse")
        model.fit(x, y, epochs=2, verbose=0)
        found.append(model.get_weights())
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_one_export_streams_what_it_says_of_the_whole_padded_sequence(tmp_path):
    model = DeepRNN(4, 2, units=(3, 2), mask_value=0.0)
    model.export(tmp_path / "served")
    served = tf.saved_model.load(str(tmp_path / "served"))
    padded = np.pad(X, ((0, 0), (0, 4), (0, 0)))
    state = np.zeros((3, model.state_width), "float32")
    for t in range(6):
        found = served.step(X[:, t], state)
        state = found["state"]
    np.testing.assert_allclose(found["outputs"], served.serving_default(padded), atol=1e-6)


def test_the_recipe_reads_images_row_by_row():
    from keras_course.datasets import load

    dataset = load("digits")
    rows = row_by_row(dataset)
    assert rows.train.x.shape == (len(dataset.train.x), 8, 8) and rows.spec.shape == (8, 8)
    np.testing.assert_array_equal(rows.test.x[3, 5], dataset.test.x[3, 5, :, 0])
    assert deep_rnn().floor["accuracy"] > 0.9 and deep_rnn().baseline is softmax_regression_on_rows


def test_what_cannot_be_stacked_is_refused():
    with pytest.raises(ValueError, match="cell='elman'"):
        DeepRNN(4, 2, cell="elman")
    with pytest.raises(ValueError, match="units=0"):
        DeepRNN(4, 2, units=(3, 0))
    with pytest.raises(ValueError, match="value 4"):
        DeepRNN(4, 2)(keras.ops.zeros((2, 3, 5)))
    model = DeepRNN(4, 2, units=(3,), cell="gru")
    for width in (2, 6):  # six numbers are those of an LSTM: the last three would be left out without a word
        with pytest.raises(ValueError, match=f"state of DeepRNN expects 3 .*{width}"):
            model.step(X[:, 0], np.zeros((3, width), "float32"))
