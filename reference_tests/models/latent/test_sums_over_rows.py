"""Sums in chunks and shares: every row counts once, whatever the cut; the training step that is cut that way."""

import numpy as np
import pytest
import tensorflow as tf

from keras_course.models.latent import GaussianMixture, KMeans
from keras_course.models.latent import sums_over_rows as cuts


def moments(x, weight):
    return [tf.reduce_sum(weight), tf.linalg.matvec(x, weight, transpose_a=True), tf.transpose(x * weight[:, None]) @ x]


@pytest.fixture(scope="module")
def rows():
    draws = np.random.Generator(np.random.Philox(3))
    return draws.normal(size=(101, 3)), draws.uniform(size=101)


def expected(x, weight):
    return [weight.sum(), weight @ x, (x * weight[:, None]).T @ x]


@pytest.mark.parametrize("chunk", [1, 7, 50, 100, 101, 200])
def test_every_chunk_length_counts_each_row_once(rows, chunk):
    came = tf.function(lambda x, weight: cuts.sums_over_chunks(moments, x, weight, chunk))(*map(tf.constant, rows))
    for one, other in zip(came, expected(*rows), strict=True):
        assert np.allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize("work_of_a_share", [101, 30, 10])  # 1, 3 and 8 shares
def test_every_number_of_shares_counts_each_row_once(rows, monkeypatch, work_of_a_share):
    monkeypatch.setattr(cuts, "WORK_OF_A_SHARE", work_of_a_share)
    came = tf.function(lambda x, weight: cuts.sums_over_shares(moments, x, weight, 1))(*map(tf.constant, rows))
    for one, other in zip(came, expected(*rows), strict=True):
        assert np.allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize("make", [lambda: KMeans(4, 3), lambda: GaussianMixture(2, 3)])
def test_a_compiled_fit_in_shares_learns_what_a_plain_one_does(rows, monkeypatch, make):
    monkeypatch.setattr(cuts, "WORK_OF_A_SHARE", 300)
    x, weight = (each.astype("float32") for each in rows)
    learned = []
    for jit_compile in (True, False):
        model = make()
        model.compile(jit_compile=jit_compile)
        model.fit(x, sample_weight=weight, epochs=3, verbose=0)
        learned.append([np.asarray(value) for value in model.get_weights()])
        assert model.jit_compile is jit_compile
    for one, other in zip(*learned, strict=True):
        assert np.allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("steps_per_execution", [1, 2, 3, 5])
def test_an_epoch_is_one_pass_however_many_steps_are_executed_at_once(rows, steps_per_execution):
    x = rows[0].astype("float32")
    model = KMeans(4, 3, centres=x[:4])
    model.compile(steps_per_execution=steps_per_execution)
    model.fit(x, batch_size=34, epochs=2, verbose=0)
    whole = KMeans(4, 3, centres=x[:4])
    whole.compile()
    whole.fit(x, epochs=2, verbose=0)
    assert np.allclose(model.centres, whole.centres, atol=1e-6)
