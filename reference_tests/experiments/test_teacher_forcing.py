"""What each way of teaching an output-recurrent net is worth once the net is left to itself."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from keras_course.experiments.teacher_forcing import TASKS, WAYS, Config, run


@pytest.fixture(scope="module")
def table():
    return run(Config.tiny())


def last(table, **which):
    return table.where(**which)["accuracy"][-1]


def test_a_tiny_run_repeats_exactly_and_draws_its_figure(table):
    few = Config(units=4, steps=3, examples=32, length=3)
    assert run(few).to_csv() == run(few).to_csv()
    assert isinstance(table.figure(), Figure)
    assert len(table) == sum(length * 7 for length in (12, 8))  # three ways fed twice, one once
    assert np.all(np.isfinite(list(table.headline.values())))
    assert {*table["task"]} == {*TASKS} and {*table["way"]} == {*WAYS}


def test_where_the_output_is_all_there_is_to_remember_a_taught_net_needs_no_teacher(table):
    assert last(table, task="parity", way="taught", fed="own") > 0.95  # on twice the length, too
    assert last(table, task="parity", way="alone") < 0.65


def test_a_teacher_who_tells_the_answer_is_repeated_and_missed_when_gone(table):
    assert last(table, task="digits", way="taught", fed="truth") > 0.95
    taught, mixed, free = (last(table, task="digits", way=way, fed="own") for way in ("taught", "mixed", "free"))
    assert mixed > taught + 0.1 and free > taught + 0.1


def test_the_first_step_knows_no_teacher_and_no_past(table):
    for task in TASKS:
        for way in ("taught", "mixed", "free"):
            first = [table.where(task=task, way=way, fed=fed)["accuracy"][0] for fed in ("truth", "own")]
            assert first[0] == first[1]


def test_fields_are_checked():
    with pytest.raises(ValueError, match="chance=1"):
        Config(chance=1)
    with pytest.raises(ValueError, match="length=0"):
        Config(length=0)
