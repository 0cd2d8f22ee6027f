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
