"""Seq2Seq and RNNSearch: what they compute, what they answer, and in which words."""

import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.datasets.text import END, PAD, START
from keras_course.models.recurrent import RNNSearch, Seq2Seq
from keras_course.models.recurrent.encoder_decoder import CELLS

ENGLISH, FRENCH = ["cat", "dog", "the", "sees", "."], ["chat", "chien", "le", "voit", "l'", "ami", "."]
TEXTS = ["The cat sees the dog.", "dog", "", "the dog sees"]
KINDS = {"seq2seq": Seq2Seq, "search": RNNSearch}


def made(kind, **how):
    model = KINDS[kind](ENGLISH, FRENCH, **{"units": 6, "embedding": 4, "max_length": 7, "seed": 2, **how})
    generator = np.random.default_rng(5)
    for weight in model.trainable_weights:  # far from the start, where all answers are alike
        weight.assign(weight + 0.5 * generator.normal(size=weight.shape))
    return model


@pytest.fixture(scope="module", params=KINDS)
def model(request):
    return made(request.param)


@pytest.fixture(scope="module")
def search():
    return made("search")


def taught(target):
    return np.concatenate([np.full_like(target[:, :1], START), target[:, :-1]], axis=1)


TARGETS = np.array([[6, 4, 7, 6, 5, END], [8, 9, END, PAD, PAD, PAD], [END] + [PAD] * 5, [6, END] + [PAD] * 4], "int32")


@pytest.mark.parametrize(
    ("kind", "cell"), [*(("seq2seq", cell) for cell in CELLS), ("search", "gru"), ("search", "lstm")]
)
def test_a_batch_of_unequal_lengths_is_its_rows_one_by_one(kind, cell):
    model = made(kind, cell=cell)
    ids = model.source_vocabulary.encode(TEXTS)
    whole = model([ids, taught(TARGETS)])
    answers = model.predict(ids, verbose=0)
    for row, text in enumerate(TEXTS):
        alone = model.source_vocabulary.encode([text])
        np.testing.assert_allclose(model([alone, taught(TARGETS[row : row + 1])])[0], whole[row], atol=2e-6)
        np.testing.assert_array_equal(model.predict(alone, verbose=0)[0], answers[row])


def test_teaching_all_steps_at_once_equals_one_step_after_another(model):
    ids, fed = model.source_vocabulary.encode(TEXTS), taught(TARGETS)
    whole = model([ids, fed])
    state, context = model.encode(ids)
    for t in range(fed.shape[1]):
        logits, state = model.step(fed[:, t], state, context)
        np.testing.assert_allclose(logits, whole[:, t], atol=2e-6)


def test_the_probability_of_an_answer_is_that_of_teaching_it(model):
    ids = model.source_vocabulary.encode(TEXTS)
    never = np.isin(np.arange(len(model.target_vocabulary)), [PAD, START])  # cannot be said, so the others share 1
    for found in (model.greedy(ids), model.sample(ids, [3, 1], 1.5)):
        tokens = ops.convert_to_numpy(found.tokens)
        logits = np.where(never, -np.inf, model([ids, taught(tokens)]))
        log_p = ops.convert_to_numpy(ops.log_softmax(logits))
        counted = np.arange(tokens.shape[1]) < ops.convert_to_numpy(found.lengths)[:, None]
        chosen = np.take_along_axis(log_p, tokens[:, :, None], -1)[:, :, 0]
        np.testing.assert_allclose(found.log_probs, np.where(counted, chosen, 0).sum(1), rtol=1e-4)


def test_a_beam_finds_nothing_worse_than_greedy_and_its_answers_differ(model):
    ids = model.source_vocabulary.encode(TEXTS)
    found = model.beam(ids, width=6)
    log_probs = ops.convert_to_numpy(found.log_probs)
    assert np.all(log_probs[:, 0] >= ops.convert_to_numpy(model.greedy(ids).log_probs) - 1e-5)
    assert np.all(np.diff(log_probs) <= 0)
    for answers in ops.convert_to_numpy(found.tokens):
        assert len({row.tobytes() for row in answers}) == 6


def test_attention_sums_to_one_and_leaves_padding_out(search):
    ids = search.source_vocabulary.encode(TEXTS)
    weights = ops.convert_to_numpy(search.align(ids, TARGETS))
    assert weights.shape == (4, 6, ids.shape[1])
    np.testing.assert_allclose(weights.sum(-1), 1.0, atol=1e-6)
    assert not np.any(weights * (ids == PAD)[:, None])
    state, (annotations, keys, counts) = search.encode(ids)
    _, first = search.attention(state[0], annotations, keys=keys, annotations_mask=counts)
    np.testing.assert_allclose(weights[:, 0], first, atol=1e-6)


def test_a_change_far_away_reaches_the_fixed_context_only_through_its_one_vector():
    ids = np.array([[4, 5, 6, 7, 8, END]], "int32")
    model = made("seq2seq")
    state, context = model.encode(ids)
    np.testing.assert_array_equal(state[0], context)
    other, _ = model.step(np.array([START]), [state[0] + 1.0], context)
    logits, _ = model.step(np.array([START]), state, context)
    assert np.max(np.abs(logits - other)) > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_falls_along_its_gradient_as_finite_differences_say(kind):
    model = made(kind, dtype="float64")
    model.compile(optimizer="sgd")
    ids = model.source_vocabulary.encode(TEXTS)

    def loss():
        return model.compute_loss(y=tf.constant(TARGETS), y_pred=model([ids, taught(TARGETS)], training=True))

    with tf.GradientTape() as tape:
        value = loss()
    gradients = tape.gradient(value, [weight.value for weight in model.trainable_weights])
    generator, start = np.random.default_rng(0), model.get_weights()
    directions = [generator.normal(size=weight.shape) for weight in start]
    slopes = [ops.convert_to_numpy(tf.convert_to_tensor(gradient)) for gradient in gradients]
    slope = sum(np.sum(one * other) for one, other in zip(slopes, directions, strict=True))
    values = []
    for step in (1e-5, -1e-5):
        for weight, old, direction in zip(model.trainable_weights, start, directions, strict=True):
            weight.assign(old + step * direction)
        values.append(float(loss()))
    np.testing.assert_allclose(slope, (values[0] - values[1]) / 2e-5, rtol=1e-6)


def test_padding_counts_for_nothing_in_loss_and_accuracy(model):
    ids, more = model.source_vocabulary.encode(TEXTS), ((0, 0), (0, 3))
    model.compile(optimizer="sgd")
    short = model.evaluate(ids, TARGETS, verbose=0, return_dict=True)
    long = model.evaluate(np.pad(ids, more), np.pad(TARGETS, more), verbose=0, return_dict=True)
    for name, value in short.items():
        np.testing.assert_allclose(long[name], value, rtol=1e-5)
    np.testing.assert_allclose(short["nats_per_token"] * np.sum(TARGETS != PAD) / 4, short["loss"], rtol=1e-5)
    logits = ops.convert_to_numpy(model([ids, taught(TARGETS)]))
    right = (logits.argmax(-1) == TARGETS)[TARGETS != PAD].mean()
    np.testing.assert_allclose(short["token_accuracy"], right, rtol=1e-6)


def test_training_on_few_pairs_learns_them_by_heart():
    model = Seq2Seq(ENGLISH, FRENCH, units=12, embedding=8, max_length=8)
    ids, target = (
        model.source_vocabulary.encode(TEXTS),
        model.target_vocabulary.encode(["Le chat voit le chien.", "l'ami", "", "le chien voit"]),
    )
    model.compile(optimizer=keras.optimizers.Adam(0.05), jit_compile=False)
    model.fit(ids, target, epochs=60, verbose=0)
    answers = [text.decode() for text in model.translate(TEXTS).numpy()]
    assert answers == ["le chat voit le chien.", "l'ami", "", "le chien voit"]
    assert [row[0].decode() for row in model.translate(TEXTS, "beam").numpy()] == answers
    assert [text.decode() for text in model.translate(TEXTS, "sample", seed=[1, 2], temperature=0.0).numpy()] == answers


def test_an_export_brings_its_vocabulary_along_and_answers_strings(search, tmp_path, monkeypatch):
    kept = {name: search.endpoints()[name] for name in ("serving_default", "sample", "align")}  # tracing is what costs
    monkeypatch.setattr(search, "endpoints", lambda: kept)
    search.export(tmp_path / "model")
    wanted = [search.translate(TEXTS), search.translate(TEXTS, "sample", seed=[4, 4])]
    shutil.move(tmp_path / "model", tmp_path / "elsewhere")
    assert {path.name for path in (tmp_path / "elsewhere/assets").iterdir()} == {"source.txt", "target.txt"}
    assert (tmp_path / "elsewhere/assets/target.txt").read_text("utf-8").split("\n")[4] == "chat"
    served = tf.saved_model.load(str(tmp_path / "elsewhere"))
    for rows in (4, 1):
        texts = tf.constant(TEXTS[:rows])
        np.testing.assert_array_equal(served.serving_default(texts)["text"], wanted[0][:rows])
        aligned = served.align(texts)
        assert aligned["weights"].shape == (rows, 7, search.source_vocabulary.encode(TEXTS[:rows]).shape[1])
    texts, seed = tf.constant(TEXTS), tf.constant([4, 4])
    np.testing.assert_array_equal(served.sample(texts, seed, 1.0)["text"], wanted[1])
    np.testing.assert_array_equal(served.sample(texts, seed, 0.0)["text"], wanted[0])


def test_a_beam_compiles_with_xla(search):
    ids = search.source_vocabulary.encode(TEXTS)
    found = tf.function(search.beam, jit_compile=True, autograph=False)(tf.constant(ids))
    np.testing.assert_array_equal(found.tokens, search.beam(ids).tokens)


def test_bad_arguments_and_data_are_refused_with_what_came(model):
    kind = type(model)
    for settings, message in (
        ({"cell": "esn"}, "cell='esn'"),
        ({"units": 0}, "units=0"),
        ({"unit": "syllable"}, "unit='syllable'"),
        ({"source_vocabulary": "cat dog"}, "source_vocabulary='cat dog'"),
    ):
        with pytest.raises(ValueError, match=message):
            kind(**{"source_vocabulary": ENGLISH, "target_vocabulary": FRENCH, **settings})
    with pytest.raises(ValueError, match="y=None"):
        made("seq2seq").train_step((np.array([[4, END]]),))
    with pytest.raises(ValueError, match="rank 2"):
        model(np.array([4, END]))
    with pytest.raises(ValueError, match="how='loud'"):
        model.translate(["cat"], "loud")
