"""One small harness: CPU and wall time of ours and of a peer, interleaved, on one thread and on two.

    python -m benchmarks.lloyd [--threads 1 2] [--repeats 7] [--json FILE]
    python -m benchmarks [the same]              all of them, and one table of every ratio at the end

Before the clock starts each contestant runs twice: the first run compiles and is reported apart, the second's results
must agree, or there is no table. Every thread count gets a fresh process, because TensorFlow, BLAS and OpenMP read
theirs once, when they start. In it the contestants take turns (ours, peer, peer, ours, ...), so that whatever else the
machine does falls on both; the table gives the median with least and greatest, the ratio of the medians and the least
and greatest ratio of a turn. A peer that is not installed is skipped with a line.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Contest", "compete", "environment", "main", "main_of_all", "require_close", "summary", "table"]

MEASURES = ("cpu", "wall")
LEAST_REPEATS = 5
REST = 0.1  # seconds before every run: OpenBLAS's threads wait for more work on their cores up to 30 ms
MARK = "record: "  # before a record on a measuring process's standard output


@dataclass(frozen=True)
class Contest:
    """What one benchmark runs.

    Args:
        title: what is computed, with its sizes.
        ours: callable without arguments, the work once; returns something that is ready (no lazy tensor).
        peer: the same work by the peer, or None where it is not installed.
        peer_name: the peer, with its version.
        xla: whether ours is compiled by XLA.
        work: how often the work is done in one call (iterations), for the table.
        limits: {threads: greatest ratio that is asked for}; of processor time on one thread, of wall time on more.
        agree: takes what both returned, raises ValueError if they did not do the same work, returns in a few words
            what was compared.
        choices: what else decides the time (steps_per_execution, optimiser), for the heading.
        before: {"ours": callable, "peer": callable}, what puts each back to where it started before every run, outside
            the clock; the work of a user's call belongs into `ours` and `peer`.
    """

    title: str
    ours: Callable[[], Any]
    peer: Callable[[], Any] | None
    peer_name: str
    xla: bool
    work: int = 1
    limits: dict[int, float] | None = None
    agree: Callable[[Any, Any], str] | None = None
    choices: str = ""
    before: Mapping[str, Callable[[], Any]] = field(default_factory=dict)


def require_close(what: str, ours: Any, peers: Any, relative: float) -> None:
    """Raises ValueError unless two numbers or arrays differ by at most `relative` times the peer's scale.

    Args:
        what: their name.
        ours, peers: numbers or arrays.
        relative: greatest difference, over the greatest absolute value of the peer's.
    """
    import numpy as np

    ours, peers = np.asarray(ours, "float64"), np.asarray(peers, "float64")
    error = np.max(np.abs(ours - peers)) / np.max(np.abs(peers)) if ours.shape == peers.shape else np.inf
    if not error <= relative:
        raise ValueError(
            f"{what} of ours and of the peer should agree within {relative:g}. Received: shapes {ours.shape} and "
            f"{peers.shape}, relative difference {error:.3g}"
        )


def timed(function: Callable[[], Any]) -> tuple[dict[str, float], Any]:
    """CPU seconds of the whole process and wall seconds, and what came."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = function()
    return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}, result


def versions() -> str:
    """The packages that decide, with their versions, and the kernels that BLAS chose where threadpoolctl can tell."""
    from importlib import metadata

    names = ("tensorflow", "keras", "tensorflow-probability", "numpy")
    found = ", ".join(f"{name} {metadata.version(name)}" for name in names)
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return found
    kernels = sorted(
        {f"{one['internal_api']} {one['architecture']}" for one in threadpool_info() if "architecture" in one}
    )
    return f"{found}; BLAS kernels of numpy, scipy: {', '.join(kernels) or 'unknown'}"


def spread(values: list[float]) -> dict[str, float]:
    """Median, least and greatest."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def compete(contest: Contest, threads: int, repeats: int) -> dict[str, Any]:
    """Runs a contest in this process: a run that compiles and one to compare the results, then turns.

    Returns:
        A record: times of both a unit of work, ratios, and what was switched on.

    Raises:
        ValueError: if the results of the contestants differ.
    """
    names = ["ours"] + (["peer"] if contest.peer is not None else [])
    functions = {"ours": contest.ours, "peer": contest.peer}
    times: dict[str, list[dict[str, float]]] = {name: [] for name in names}

    def run(name: str) -> tuple[dict[str, float], Any]:
        contest.before.get(name, lambda: None)()
        time.sleep(REST)
        return timed(functions[name])  # type: ignore[arg-type]

    first = {name: run(name)[0] for name in names}
    results = {name: run(name)[1] for name in names}
    agreed = contest.agree(results["ours"], results["peer"]) if contest.agree and contest.peer else None
    loads = [os.getloadavg()[0]]
    for turn in range(repeats):
        for name in names if turn % 2 == 0 else reversed(names):
            times[name].append(run(name)[0])
    loads.append(os.getloadavg()[0])
    record: dict[str, Any] = {
        "title": contest.title, "peer_name": contest.peer_name, "threads": threads, "repeats": repeats,
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "default"), "xla": contest.xla,
        "limit": (contest.limits or {}).get(threads), "load": max(loads), "agreed": agreed, "choices": contest.choices,
        "versions": versions(), "first_run": {name: first[name]["wall"] for name in names},
        "processor": platform.processor() or platform.machine(), "python": platform.python_version(),
    }  # fmt: skip
    for name in names:
        record[name] = {m: spread([one[m] / contest.work for one in times[name]]) for m in MEASURES}
    if contest.peer is not None:
        turns = list(zip(times["ours"], times["peer"], strict=True))
        for m in MEASURES:
            of_medians = record["ours"][m]["median"] / record["peer"][m]["median"]
            record.setdefault("ratio", {})[m] = {**spread([a[m] / b[m] for a, b in turns]), "of_medians": of_medians}
    return record


def table(records: list[dict[str, Any]]) -> str:
    """The printed table: milliseconds a unit of work, median (least to greatest)."""
    head = ("threads", "measure", "ours ms", "peer ms", "ratio", "asked", "load", "first run s")
    rows = [head]
    for record in records:
        for measure in MEASURES:
            cells = []
            for name in ("ours", "peer"):
                one = record.get(name, {}).get(measure)
                cells.append("-" if one is None else f"{_ms(one['median'])} ({_ms(one['min'])} to {_ms(one['max'])})")
            ratio = "-"
            if "ratio" in record:
                one = record["ratio"][measure]
                ratio = f"{one['of_medians']:.2f} ({one['min']:.2f} to {one['max']:.2f})"
            first = ", ".join(f"{seconds:.1f}" for seconds in record["first_run"].values())
            rest = (f"{record['load']:.1f}", first) if measure == MEASURES[0] else ("", "")
            # One thread: processor time, which neighbours on the machine do not count in. Two: what a user waits.
            held = record["limit"] is not None and measure == ("cpu" if record["threads"] == 1 else "wall")
            rows.append(
                (str(record["threads"]), measure, *cells, ratio, f"<= {record['limit']}" if held else "", *rest)
            )
    return _aligned(rows)


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.3g}" if seconds < 0.1 else f"{seconds * 1e3:.0f}"


def summary(records: list[dict[str, Any]]) -> str:
    """One line a contest and thread count: the ratio of the clock that counts, what was asked, and whether it holds."""
    rows = [("contest", "threads, clock", "ours ms", "peer ms", "ratio", "asked", "")]
    for record in records:
        measure = "cpu" if record["threads"] == 1 else "wall"
        ours, peer = (record.get(name, {}).get(measure, {}).get("median") for name in ("ours", "peer"))
        ratio, limit = record.get("ratio", {}).get(measure, {}).get("of_medians"), record["limit"]
        verdict = "" if limit is None or ratio is None else "holds" if ratio <= limit else "MISSED"
        numbers = ("-" if ours is None else _ms(ours), "-" if peer is None else _ms(peer))
        shown = "no peer" if ratio is None else f"{ratio:.2f}"
        asked = "" if limit is None else f"<= {limit}"
        rows.append((record["title"], f"{record['threads']}, {measure}", *numbers, shown, asked, verdict))
    return _aligned(rows)


def _aligned(rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def environment(threads: int, onednn: bool) -> dict[str, str]:
    """The variables that decide threads and oneDNN; they are read when the libraries start."""
    count = str(threads)
    names = [f"{library}_NUM_THREADS" for library in ("OMP", "OPENBLAS", "MKL")]
    names += [f"TF_NUM_{pool}_THREADS" for pool in ("INTRAOP", "INTEROP")]
    # A machine may name the kernels of OpenBLAS in its environment, and then numpy does not choose for the processor.
    own = {name: value for name, value in os.environ.items() if name not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    return {
        **own, **dict.fromkeys(names, count), "TF_ENABLE_ONEDNN_OPTS": str(int(onednn)),
        "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow",
    }  # fmt: skip


def main(module: str, contests: Callable[[], Contest | Iterable[Contest]]) -> int:
    """The command line of a benchmark file.

    Args:
        module: its dotted name, to start it again with other threads.
        contests: makes the contest, or several one after the other; imports TensorFlow and the peer, inside the
            process that measures.

    Returns:
        Exit code: 0, or 1 if a measuring process failed.
    """
    chosen = _arguments(f"python -m {module}", sys.modules["__main__"].__doc__)
    if chosen.measure:
        made = contests()
        for contest in [made] if isinstance(made, Contest) else made:
            print(MARK + json.dumps(compete(contest, chosen.threads[0], chosen.repeats)), flush=True)
        return 0
    records = _measured(module, chosen)
    if records is None:
        return 1
    _write(records, chosen.json)
    return 0


def main_of_all(runs: Mapping[str, list[dict[str, str]]]) -> int:
    """Every benchmark, or those named on the command line, one after the other, then one table of all ratios.

    Args:
        runs: {name of a file here: the environment variables of each of its runs}.

    Returns:
        Exit code: 0, or 1 if a measuring process failed; the others run all the same.
    """
    chosen = _arguments("python -m benchmarks", "Benchmarks, and one table of every ratio.", tuple(runs))
    found = [_measured(f"benchmarks.{name}", chosen, more) for name in chosen.names or runs for more in runs[name]]
    records = [record for part in found if part is not None for record in part]
    print(summary(records))
    _write(records, chosen.json)
    return int(None in found)


def _arguments(prog: str, description: str | None, names: tuple[str, ...] = ()) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=prog, description=description)
    if names:
        parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(names)}; all if none")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="thread counts, a fresh process each")
    parser.add_argument("--repeats", type=int, default=7, help=f"turns of each contestant, at least {LEAST_REPEATS}")
    parser.add_argument("--no-onednn", action="store_true", help="leave TensorFlow's oneDNN kernels off")
    parser.add_argument("--json", metavar="FILE", help="write the records there too")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    unknown = [name for name in getattr(chosen, "names", ()) if name not in names]
    if unknown:
        parser.error(f"known are {', '.join(names)}. Received: {' '.join(unknown)}")
    if chosen.repeats < LEAST_REPEATS:
        parser.error(f"at least {LEAST_REPEATS} repeats. Received: --repeats {chosen.repeats}")
    return chosen


def _measured(
    module: str, chosen: argparse.Namespace, more: Mapping[str, str] | None = None
) -> list[dict[str, Any]] | None:
    """Runs a module's contests, a process a thread count, and prints a table a contest; None if one failed."""
    by_contest: dict[str, list[dict[str, Any]]] = {}
    for threads in chosen.threads:
        words = [sys.executable, "-m", module, "--measure", "--threads", str(threads), "--repeats", str(chosen.repeats)]
        variables = {**environment(threads, not chosen.no_onednn), **(more or {})}
        run = subprocess.run(words, env=variables, capture_output=True, text=True)
        if run.returncode:
            print(run.stderr[-2000:], file=sys.stderr)
            return None
        for line in run.stdout.splitlines():
            if line.startswith(MARK):
                record = json.loads(line.removeprefix(MARK))
                by_contest.setdefault(record["title"], []).append(record)
    for records in by_contest.values():
        _show(records)
    return [record for records in by_contest.values() for record in records]


def _show(records: list[dict[str, Any]]) -> None:
    first = records[0]
    print(first["title"])
    skipped = "" if "ratio" in first else " is not installed and skipped; install the extra: keras-course[bench]"
    print(f"peer: {first['peer_name']}{skipped}")
    print(f"{first['versions']}, Python {first['python']}, {first['processor']}")
    switches = f"XLA {'on' if first['xla'] else 'off'}, oneDNN {'off' if first['onednn'] == '0' else 'on'}"
    print(f"{switches}{', ' if first['choices'] else ''}{first['choices']}; {first['repeats']} interleaved repeats")
    print(f"same results: {first['agreed'] or 'not compared'}\n")
    print(table(records) + "\n", flush=True)


def _write(records: list[dict[str, Any]], path: str | None) -> None:
    if path:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(records, file, indent=1)
