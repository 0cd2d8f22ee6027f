"""Recurrent layers: equal to Keras's under weight conversion, on any length, under any mask, forward and back."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from scipy.special import expit

from keras_course.layers import GRU, LSTM, RNN, PeepholeLSTM, from_addons, from_keras, to_keras

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 6, 3)).astype("float32")
MASK = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 0, 1], [0, 0, 0, 0, 0, 0]], bool)
KERAS = {
    "rnn": (keras.layers.SimpleRNN, {}),
    "lstm": (keras.layers.LSTM, {}),
    "gru": (keras.layers.GRU, {}),
    "gru reset before": (keras.layers.GRU, {"reset_after": False}),
    "lstm without bias": (keras.layers.LSTM, {"use_bias": False}),
}
OURS = {
    "rnn": lambda **how: RNN(4, **how),
    "rnn with skips and outputs": lambda **how: RNN(4, skips=(3,), output_units=2, **how),
    "lstm": lambda **how: LSTM(4, **how),
    "lstm NFG": lambda **how: LSTM(4, variant="NFG", **how),
    "lstm concatenated": lambda **how: LSTM(4, weights="concatenated", **how),
    "peephole": lambda **how: PeepholeLSTM(4, **how),
    "full peephole": lambda **how: PeepholeLSTM(4, peepholes="full", **how),
    "gru": lambda **how: GRU(4, **how),
    "gru tanh reset after": lambda **how: GRU(4, activation="tanh", reset_after=True, **how),
}
VARIANTS = [
    *OURS.items(),
    *((f"lstm {v}", lambda v=v, **how: LSTM(4, variant=v, **how)) for v in ("NIG", "NOG", "NIAF", "NOAF")),
]


def moved(layer, shape=(None, None, 3)):
    """A built layer with weights far from zero."""
    layer.build(shape)
    for variable in layer.trainable_variables:
        variable.assign(np.random.default_rng(variable.shape[0]).normal(size=variable.shape) / 2)
    return layer


def leaves(outputs):
    return [np.asarray(each) for each in keras.tree.flatten(outputs)]


def loss_and_gradients(layer, x, mask, training):
    """A loss in which every output counts differently, and its slopes by x and the weights, in one graph."""
    weights = [variable.value for variable in layer.trainable_variables]

    @tf.function(autograph=False)
    def run(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = keras.tree.flatten(layer(x, mask=mask, training=training))
            loss = sum(ops.sum(ops.sin((1 + k) * each)) for k, each in enumerate(outputs))
        return outputs, tape.gradient(loss, [x, *weights])

    outputs, gradients = run(tf.constant(x))
    return leaves(outputs), leaves(gradients)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", KERAS)
def test_a_converted_layer_computes_what_keras_computes_and_so_do_its_gradients(name, masked):
    kind, settings = KERAS[name]
    how = {"return_sequences": True, "return_state": True, "go_backwards": masked}
    theirs = moved(kind(4, **settings, **how))
    ours = from_keras(theirs)
    mask = tf.constant(MASK) if masked else None
    outputs, gradients = loss_and_gradients(theirs, X, mask, training=True)
    for training in (True, False):
        came, slopes = loss_and_gradients(ours, X, mask, training)
        for one, other in zip(outputs, came, strict=True):
            np.testing.assert_allclose(other, one, atol=2e-6)
        np.testing.assert_allclose(slopes[0], gradients[0], atol=1e-5)
        np.testing.assert_allclose(np.sort(slopes[1].ravel()), np.sort(gradients[1].ravel()), atol=1e-5)
    back = to_keras(ours)
    for one, other in zip(theirs.get_weights(), back.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("name", "make"), VARIANTS, ids=[name for name, _ in VARIANTS])
def test_the_written_out_gradient_is_that_of_automatic_differentiation_to_1e_10(name, make):
    layer = moved(make(return_sequences=True, return_state=True, dtype="float64"))
    x = np.concatenate([X, X, X], axis=1).astype("float64")  # 18 steps: long enough to be fused
    mask = tf.constant(np.concatenate([MASK, MASK, MASK], axis=1))
    written, automatic = (loss_and_gradients(layer, x, mask, training) for training in (True, False))
    for one, other in zip((*written[0], *written[1]), (*automatic[0], *automatic[1]), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", OURS)
def test_a_batch_of_unequal_lengths_is_each_sequence_alone(name):
    layer = moved(OURS[name](return_sequences=True, return_state=True))
    lengths = (6, 1, 4, 0)
    mask = np.arange(6) < np.array(lengths)[:, None]
    outputs, *states = layer(np.where(mask[:, :, None], X, 9.0), mask=mask, training=True)
    for row, length in enumerate(lengths):
        alone, *last = layer(X[row : row + 1, :length])
        np.testing.assert_allclose(outputs[row, :length], alone[0], atol=1e-6)
        for state, one in zip(states, last, strict=True):
            np.testing.assert_allclose(state[row], one[0], atol=1e-6)


@pytest.mark.parametrize("name", OURS)
def test_steps_one_at_a_time_equal_the_whole_sequence(name):
    layer = moved(OURS[name](return_sequences=True))
    whole = np.asarray(layer(X))
    states = layer.get_initial_state(batch_size=4)
    for t in range(6):
        output, states = layer.cell(X[:, t], states)
        np.testing.assert_allclose(output, whole[:, t], atol=1e-6)
    stateful = OURS[name](return_sequences=True, stateful=True)
    stateful.build((4, None, 3))
    stateful.set_weights(layer.get_weights())
    pieces = [stateful(X[:, :2]), stateful(X[:, 2:3]), stateful(X[:, 3:])]
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, atol=1e-6)
    stateful.reset_state()
    np.testing.assert_allclose(stateful(X), whole, atol=1e-6)
    with pytest.raises(ValueError, match="4 rows"):
        stateful(X[:2])


@pytest.mark.parametrize("name", ["rnn", "full peephole", "gru"])
def test_rows_that_are_masked_throughout_and_sequences_of_no_step_stay_at_the_start(name):
    layer = moved(OURS[name](return_sequences=True, return_state=True))
    for training in (False, True):
        outputs, gradients = loss_and_gradients(layer, X, tf.constant(np.zeros((4, 6), bool)), training)
        assert not any(np.any(each) for each in outputs)
        assert all(np.all(np.isfinite(each)) for each in gradients)
        empty, state, *_ = layer(X[:, :0], training=training)
        assert tuple(empty.shape) == (4, 0, 4) and not np.any(state)
        assert tuple(layer(X[:0], training=training)[0].shape) == (0, 6, 4)


def test_a_fused_graph_takes_a_batch_without_rows_and_a_dynamic_one_a_sequence_without_steps():
    for layer, x, shape in (
        (LSTM(3, return_sequences=True), np.zeros((0, 20, 3), "float32"), (None, 20, 3)),
        (GRU(3, return_sequences=True), np.zeros((2, 0, 3), "float32"), (None, None, 3)),
    ):
        layer.build((None, None, 3))

        @tf.function(autograph=False, input_signature=[tf.TensorSpec(shape)])
        def run(x, layer=layer):
            with tf.GradientTape() as tape:
                outputs = layer(x, training=True)
                loss = ops.sum(outputs)
            return outputs, tape.gradient(loss, layer.cell.recurrent_kernel.value)

        outputs, gradient = run(x)
        assert tuple(outputs.shape) == (*x.shape[:2], 3) and not np.any(gradient)


def test_unrolled_backwards_and_zero_filled_outputs_are_keras_s():
    for how in ({"unroll": True}, {"go_backwards": True, "zero_output_for_mask": True}, {"unroll": True}):
        theirs = moved(keras.layers.LSTM(4, return_sequences=True, **how), (None, 6, 3))
        mask = MASK if "go_backwards" in how else None
        np.testing.assert_allclose(from_keras(theirs)(X, mask=mask), theirs(X, mask=mask), atol=2e-6)


def test_a_state_given_is_the_state_begun_with():
    theirs = moved(keras.layers.GRU(4, return_sequences=True, return_state=True))
    start = RNG.normal(size=(4, 4)).astype("float32")
    for mask in (None, MASK):
        for one, other in zip(
            theirs(X, initial_state=[start], mask=mask), from_keras(theirs)(X, initial_state=[start], mask=mask),
            strict=True,
        ):  # fmt: skip
            np.testing.assert_allclose(other, one, atol=2e-6)
    with pytest.raises(ValueError, match="2 states"):
        LSTM(4)(X, initial_state=[start])


def test_one_export_serves_every_length_and_batch(tmp_path):
    inputs = keras.Input((None, 3))
    model = keras.Model(inputs, LSTM(4, return_sequences=True)(keras.layers.Masking()(inputs)))
    model.export(str(tmp_path), verbose=False)
    served = tf.saved_model.load(str(tmp_path))
    for rows, length in ((1, 1), (4, 6), (2, 3)):
        np.testing.assert_allclose(served.serve(X[:rows, :length]), model(X[:rows, :length]), atol=1e-6)


def test_keras_s_wrappers_take_the_layers():
    both = keras.layers.Bidirectional(LSTM(4, return_sequences=True))
    assert tuple(both(X).shape) == (4, 6, 8)
    assert tuple(keras.layers.TimeDistributed(GRU(2))(ops.ones((2, 3, 6, 3))).shape) == (2, 3, 2)
    stacked = keras.layers.RNN([layer.cell for layer in (LSTM(4), RNN(2))])
    assert tuple(stacked(X).shape) == (4, 2)


def test_dropout_leaves_out_the_same_features_at_every_step():
    layer = RNN(3, activation="linear", return_sequences=True, dropout=0.5, kernel_initializer="identity",
                recurrent_initializer="zeros", seed=1)  # fmt: skip
    kept = np.asarray(layer(np.ones((4, 6, 3)), training=True))
    assert set(np.unique(kept)) == {0.0, 2.0}
    assert np.all(kept == kept[:, :1])
    np.testing.assert_array_equal(layer(np.ones((4, 6, 3))), np.ones((4, 6, 3)))


def test_a_gradient_of_a_gradient_passes_through_the_written_out_one():
    x = tf.constant(X[:2, :3].astype("float64"))

    def curvature(layer):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                total = ops.sum(layer(x, training=True) ** 2)
            slope = ops.sum(inner.gradient(total, x) ** 2)
        return outer.gradient(slope, x)

    theirs = moved(keras.layers.LSTM(4, dtype="float64"))
    ours = from_keras(theirs)
    np.testing.assert_allclose(curvature(ours), curvature(theirs), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("biased", [True, False])
def test_weights_of_the_addons_cell_give_what_that_cell_gave(biased):
    h, rng = 4, np.random.default_rng(5)
    shapes = [(X.shape[2], 4 * h), (h, 4 * h), *[(4 * h,)] * biased, (h,), (h,), (h,)]
    weights = [rng.normal(size=shape) for shape in shapes]
    kernel, recurrent, *bias, p_i, p_f, p_o = weights
    x, wanted = X.astype("float64"), []
    state = cell = np.zeros((len(x), h))
    for t in range(x.shape[1]):  # Sak et al. 2014, columns in Keras's order
        i, f, g, o = np.split(x[:, t] @ kernel + state @ recurrent + sum(bias), 4, axis=1)
        cell = expit(f + p_f * cell) * cell + expit(i + p_i * cell) * np.tanh(g)
        state = expit(o + p_o * cell) * np.tanh(cell)
        wanted.append(state)
    layer = from_addons(weights, return_sequences=True, dtype="float64")
    np.testing.assert_allclose(layer(x), np.stack(wanted, axis=1), atol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LSTM(0), "units=0"),
        (lambda: LSTM(2, variant="NAG"), "variant='NAG'"),
        (lambda: RNN(2, skips=(1,)), r"skips=\(1,\)"),
        (lambda: RNN(2, weights="both"), "weights='both'"),
        (lambda: GRU(2, dropout=1.0), "dropout=1.0"),
        (lambda: PeepholeLSTM(2, peepholes="input"), "peepholes='input'"),
        (lambda: from_keras(keras.layers.LSTM(2, recurrent_activation="hard_sigmoid")), "hard_sigmoid"),
        (lambda: to_keras(LSTM(2, variant="NIG")), "variant='NIG'"),
        (lambda: LSTM(2)(np.ones((2, 3))), "rank 3"),
        (lambda: GRU(2)(X, mask=np.ones((len(X), X.shape[1] + 1), bool)), "one bool a step"),
        (lambda: RNN(2)(X, mask=np.ones((1, X.shape[1]), bool)), "one bool a step"),
        (lambda: from_addons([np.ones((2, 8)), np.ones((2, 8)), np.ones(3), *np.ones((3, 2))]), r"\(3,\)"),
        (lambda: from_addons([np.ones((2, 8))]), r"shapes=\[\(2, 8\)\]"),
    ],
)
def test_what_cannot_be_is_refused_with_what_came(make, message):
    with pytest.raises(ValueError, match=message):
        make()
    with pytest.raises(TypeError):
        from_keras(keras.layers.Dense(2))
