"""The benchmark harness: results must agree before anything is timed; a missing peer costs the ratio alone."""

import functools
import os
import time
from pathlib import Path

import numpy as np
import pytest

import benchmarks
from benchmarks.__main__ import RUNS
from benchmarks.harness import Contest, compete, environment, require_close, summary, table


def contest(ours=lambda: 1.0, peer=lambda: 1.0, **more):
    return Contest("sums", ours, peer, "a peer", xla=False, work=2, limits={1: 0.5}, **more)


def test_a_wrong_answer_is_not_timed():
    runs = []

    def agree(ours, peers):
        require_close("sums", ours, peers, 1e-5)
        return "sums within 1e-5"

    with pytest.raises(ValueError, match="sums of ours and of the peer should agree within 1e-05"):
        compete(contest(lambda: runs.append(0) or 1.0001, agree=agree), threads=1, repeats=5)
    assert len(runs) == 2
    record = compete(contest(agree=agree), threads=1, repeats=5)
    assert record["agreed"] == "sums within 1e-5" and record["ratio"]["cpu"]["of_medians"] > 0


@pytest.mark.parametrize("theirs", [[1.0, 3.0], [1.0, np.nan], [1.0]])
def test_require_close_sees_values_nan_and_shapes(theirs):
    with pytest.raises(ValueError, match="relative difference"):
        require_close("w", [1.0, 2.0], theirs, 0.1)


def test_the_table_has_a_row_for_each_clock_and_marks_the_one_that_counts():
    record = compete(contest(), threads=1, repeats=5)
    cpu, wall = table([record]).splitlines()[1:]
    assert cpu.startswith("1        cpu") and "<= 0.5" in cpu
    assert wall.startswith("1        wall") and "<=" not in wall


def test_the_summary_says_which_ratios_hold():
    records = [compete(contest(), threads=threads, repeats=5) for threads in (1, 2, 1)]
    records[0]["ratio"]["cpu"]["of_medians"], records[2]["ratio"]["cpu"]["of_medians"] = 0.5, 0.51
    holds, unasked, missed = summary(records).splitlines()[1:]
    assert holds.endswith("0.50   <= 0.5  holds") and missed.endswith("0.51   <= 0.5  MISSED")
    assert "2, wall" in unasked and "<=" not in unasked
    assert "no peer" in summary([compete(contest(peer=None), threads=1, repeats=5)])


def test_a_missing_peer_leaves_our_times():
    record = compete(contest(peer=None), threads=1, repeats=5)
    assert "ratio" not in record and record["ours"]["wall"]["median"] >= 0


def test_the_measuring_process_chooses_its_own_blas_kernels(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    chosen = environment(2, onednn=True)
    assert "OPENBLAS_CORETYPE" not in chosen and chosen["OMP_NUM_THREADS"] == "2"
    assert chosen["TF_ENABLE_ONEDNN_OPTS"] == "1" and os.environ["OPENBLAS_CORETYPE"] == "Haswell"


def test_one_command_runs_every_benchmark():
    files = Path(benchmarks.__file__).parent.glob("*.py")
    assert sorted(RUNS) == sorted(file.stem for file in files if 'main("benchmarks.' in file.read_text())


def test_each_side_is_put_back_before_every_run_outside_the_clock():
    state, waits = {"ours": 0, "peer": 0}, 0.02

    def start(name):
        time.sleep(waits)
        state[name] = 0

    def run(name):
        state[name] += 1
        return state[name]

    before = {name: functools.partial(start, name) for name in state}
    runs = [functools.partial(run, name) for name in state]
    record = compete(contest(*runs, before=before), threads=1, repeats=5)
    assert state == {"ours": 1, "peer": 1}
    assert all(record[name]["wall"]["max"] < waits / 2 for name in state)
