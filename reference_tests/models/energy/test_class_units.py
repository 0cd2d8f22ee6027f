"""Class units in the top of a belief network: free energies, chances and clamped draws against enumeration."""

import itertools

import keras
import numpy as np
import pytest

from keras_course.core.errors import InvalidDataError
from keras_course.models.energy import DBN
from keras_course.models.energy.annealing import annealed_log_partition
from keras_course.models.energy.class_units import ClassRBM
from keras_course.ops.class_units import class_free_energies, class_log_partition, joint_log_probs

D, H, K = 3, 2, 3


def states(units):
    return np.array(list(itertools.product((0.0, 1.0), repeat=units)))


@pytest.fixture(scope="module")
def machine():
    made = ClassRBM(D, H, K, sampling_steps=40, kernel_scale=1.0, seed=3)
    generator = np.random.Generator(np.random.Philox(4))
    made.set_weights([generator.normal(size=weight.shape) for weight in made.weights])
    return made


def joint(machine):
    """P(v, k, h) of every state, (8, K, 4), by its energy."""
    w, b, c = (np.asarray(each, "float64") for each in machine.parameters)
    weights = np.empty((2**D, K, 2**H))
    for (i, v), k, (j, h) in itertools.product(enumerate(states(D)), range(K), enumerate(states(H))):
        x = np.concatenate([v, np.eye(K)[k]])
        weights[i, k, j] = np.exp(b @ x + c @ h + x @ w @ h)
    return weights


def test_chances_of_classes_and_the_partition_are_those_of_enumeration(machine):
    weights = joint(machine).sum(-1)  # (8, K)
    given = weights / weights.sum(-1, keepdims=True)
    np.testing.assert_allclose(np.exp(machine.class_log_probs(states(D).astype("float32"))), given, rtol=1e-4)
    parameters = [np.asarray(each, "float64") for each in machine.class_parameters]
    np.testing.assert_allclose(np.exp(-np.asarray(class_free_energies(states(D), *parameters))), weights, rtol=1e-9)
    pairs = np.exp(np.asarray(joint_log_probs(states(D), *parameters)))  # (K, 8), classes first
    np.testing.assert_allclose(pairs, (weights / weights.sum()).T, rtol=1e-9)
    shifted = joint_log_probs(states(D), *parameters, np.log(weights.sum()) + 1.0)
    np.testing.assert_allclose(np.exp(np.asarray(shifted) + 1.0), pairs, rtol=1e-9)
    for found in (machine.log_partition(), class_log_partition(*machine.class_parameters)):
        np.testing.assert_allclose(found, np.log(weights.sum()), rtol=1e-5)
    rows = np.array([[*v, *one] for v in states(D) for one in np.eye(K)], "float32")
    np.testing.assert_allclose(np.exp(machine.log_prob(rows)).reshape(-1, K), weights / weights.sum(), rtol=1e-4)


def test_annealing_covers_the_exact_log_partition_and_units_of_their_own_would_not(machine):
    """3 standard errors: a miss of one in twenty runs would be odd (its chance is below one per cent a run)."""
    exact = float(machine.log_partition())
    found = [machine.annealed_log_partition(steps=100, chains=50, seed=seed) for seed in range(6)]
    assert sum(each.low <= exact <= each.high for each in found) >= 5
    assert all(each.low < each.value < each.high < each.low + 1.0 for each in found)
    biased = machine.annealed_log_partition(steps=200, chains=100, visible_bias=np.ones(D + K))
    assert biased.low <= exact <= biased.high
    binary = annealed_log_partition(*machine.parameters, steps=100, chains=50)  # any number of classes on, or none
    assert binary.low > exact + 0.2
    with pytest.raises(ValueError, match=r"classes among binary visible units, of which there are 0\. .*classes=2"):
        annealed_log_partition(np.zeros((3, 2)), np.zeros(3), np.zeros(2), 1.0, classes=2)


@pytest.fixture(scope="module", params=[(2, 3), (2, 3, 2)])
def network(request):
    made = DBN(D, request.param, classes=K, kernel_scale=1.0, seed=5)
    generator = np.random.Generator(np.random.Philox(7))
    made.set_weights([generator.normal(size=weight.shape) for weight in made.weights])
    return made


def test_densities_of_pairs_sum_to_those_of_data_and_bounds_stay_below(network):
    x = np.repeat(states(D).astype("float32"), K, axis=0)
    y = np.tile(np.arange(K), 2**D)
    joint, bound = (np.asarray(each(x, y)).reshape(-1, K) for each in (network.log_prob, network.bound))
    np.testing.assert_allclose(np.exp(joint).sum(), 1.0, rtol=1e-5)
    exact, below = np.asarray(network.log_prob(x[::K])), np.asarray(network.bound(x[::K]))
    np.testing.assert_allclose(np.exp(joint).sum(-1), np.exp(exact), rtol=1e-5)
    assert (joint - bound).min() > 1e-4 and (exact - below).min() > 1e-4
    assert (below - np.log(np.exp(bound).sum(-1))).min() > 1e-4  # classes summed out first come nearer


def test_draws_find_both_bounds_and_together_come_nearer(network):
    x, y = np.float32([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]), np.array([2, 0])
    for labels in (None, y):
        exact, bound = network.log_prob(x, labels), network.bound(x, labels)
        np.testing.assert_allclose(network.sampled_bound(x, 1, 4000, y=labels), bound, atol=0.1)
        together = np.asarray(network.sampled_bound(x, 1, 4000, together=True, y=labels))
        np.testing.assert_allclose(together, exact, atol=0.1)
        shifted = network.sampled_bound(x, 1, 4000, network.log_partition() + 1.0, True, labels)
        np.testing.assert_allclose(shifted, together - 1.0, rtol=1e-4)


def test_the_class_is_drawn_by_its_softmax_and_one_is_on(machine):
    h = np.array([[1.0, 0.0]] * 4000, "float32")
    hidden_noise, noise = machine.sweep_noise(4000, [0, 5])
    v = np.asarray(machine.draw_visible(h, noise))
    assert (v[:, D:].sum(-1) == 1).all()
    told = joint(machine)[:, :, 2].sum(0)
    np.testing.assert_allclose(v[:, D:].mean(0), told / told.sum(), atol=0.04)  # 5 deviations
    assert hidden_noise.shape == (4000, H)


def test_free_and_clamped_draws_have_the_chances_of_enumeration(machine):
    weights = joint(machine).sum(-1)
    codes = 2 ** np.arange(D)[::-1]
    drawn = np.asarray(machine.sample(1, 4000))
    np.testing.assert_allclose(drawn[:, D:].mean(0), weights.sum(0) / weights.sum(), atol=0.04)
    held = np.asarray(machine.sample_class(2, np.repeat(np.eye(K, dtype="float32")[1:2], 4000, 0)))
    assert (held[:, D + 1] == 1).all()
    counted = np.bincount((held[:, :D] @ codes).astype(int), minlength=2**D) / 4000
    np.testing.assert_allclose(counted, weights[:, 1] / weights[:, 1].sum(), atol=0.04)


def test_a_network_learns_classes_greedily_and_up_and_down_and_draws_them():
    generator = np.random.Generator(np.random.Philox(6))
    y = generator.integers(0, 2, 200)
    prototypes = np.array([[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]])
    x = np.where(generator.random((200, 6)) < 0.1, 1 - prototypes[y], prototypes[y]).astype("float32")
    model = DBN(6, (6, 8), classes=2, sampling_steps=100)
    model.pretrain(x, 40, optimizer=lambda: keras.optimizers.Adam(0.02), y=y)
    greedy = np.asarray(model.classify(x))
    np.testing.assert_allclose(greedy.sum(-1), 1.0, rtol=1e-5)
    assert (greedy.argmax(-1) == y).mean() > 0.9
    model.compile(keras.optimizers.SGD(0.02))
    model.fit(x, y, epochs=2, verbose=0)
    assert model.evaluate(x, y, verbose=0, return_dict=True)["accuracy"] > 0.9
    draws = np.asarray(model.sample_class(3, np.repeat([0, 1], 200)))
    left = draws[:, :3].mean(-1) - draws[:, 3:].mean(-1)
    assert left[:200].mean() > 0.4 and left[200:].mean() < -0.4
    assert model.sample_class(3, np.zeros(0, "int32")).shape == (0, 6) and model(x[:2]).shape == (2, 8)


def test_missing_and_impossible_classes_are_named():
    model = DBN(3, (2, 2), classes=2)
    model.compile()
    x = np.zeros((2, 3), "float32")
    with pytest.raises(ValueError, match=r"learns from pairs \(x, y\)\. Received: y=None"):
        model.fit(x)
    with pytest.raises(InvalidDataError, match=r"needs classes 0 \.\.\. 1\. Received: 2 in row 1"):
        model.fit(x, np.array([0, 2]))
    with pytest.raises(InvalidDataError, match=r"needs classes 0 \.\.\. 1\. Received: 2 in row 1"):
        model.log_prob(x, [0, 2])
    with pytest.raises(ValueError, match="without classes alone"):
        model.classifier(2)
    with pytest.raises(ValueError, match=r"densities of \(x, y\) with classes alone"):
        DBN(3, (2, 2)).bound(x, [0, 1])
    with pytest.raises(ValueError, match="with classes alone"):
        DBN(3, (2, 2)).classify(x)
    with pytest.raises(ValueError, match=r"two classes or more, or None\. Received: classes=1"):
        DBN(3, (2, 2), classes=1)
