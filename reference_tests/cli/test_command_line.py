"""The command line: what it prints, its exit codes, and that every error is one line."""

import json
import subprocess
import sys

import pytest

import keras_course
from keras_course import catalog
from keras_course.catalog.docstrings import describe
from keras_course.cli.main import VERBS, main, one_line


def one_error(capsys, *argv):
    """Runs a command that must fail with exit code 2 and one line; returns the line."""
    assert main(list(argv)) == 2
    captured = capsys.readouterr()
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("keras-course: error: "), captured.err
    assert captured.out == ""
    return lines[0]


def test_list_shows_every_system_under_its_topic(capsys):
    assert main(["list"]) == 0
    printed = capsys.readouterr().out
    assert all(entry.slug in printed and entry.title in printed for entry in catalog.entries())
    assert main(["list", "convolution"]) == 0
    assert "perceptron" not in capsys.readouterr().out


def test_list_as_json_is_an_array_of_objects(capsys):
    assert main(["list", "--json"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert [row["slug"] for row in table] == [entry.slug for entry in catalog.entries()]
    assert set(table[0]) == {"slug", "title", "topic", "shape", "object", "recipe", "datasets", "sources"}


def test_show_gives_formula_source_signature_and_example(capsys):
    assert main(["show", "positional-encoding"]) == 0
    printed = capsys.readouterr().out
    assert "Cappi, Deep Learning Notes" in printed and "PositionalEncoding(" in printed and "sin" in printed
    assert ">>>" in printed


@pytest.mark.parametrize("slug", [entry.slug for entry in catalog.entries()])
def test_show_as_json_describes_every_system(capsys, slug):
    assert main(["show", slug, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["slug"] == slug and shown["formula"] and shown["signature"] and shown["example"], slug
    assert all(source["description"] for source in shown["sources"])


def test_every_verb_has_help(capsys):
    for verb in VERBS:
        assert main([verb, "--help"]) == 0
        assert capsys.readouterr().out.startswith(f"usage: keras-course {verb}")
    assert main(["--help"]) == 0
    printed = capsys.readouterr().out
    assert all(verb in printed for verb in VERBS)


def test_without_a_verb_the_help_is_shown(capsys):
    assert main([]) == 0
    assert "usage: keras-course" in capsys.readouterr().out


def test_the_version_is_printed(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == f"keras-course {keras_course.__version__}"


@pytest.mark.parametrize(
    ("argv", "hint"),
    [
        (["fit", "lenett"], "Did you mean 'lenet'?"),
        (["show", "poling"], "Did you mean 'pooling'?"),
        (["list", "fundations"], "Did you mean 'foundations'?"),
        (["lst"], "Did you mean 'list'?"),
        (["fit", "pooling"], "has no recipe"),
        (["fit"], "slug"),
        (["fit", "bahdanau-attention", "--dataset", "date"], "are english-french, dates. Received: dataset='date'"),
        (["search", "seq2seq", "--dataset", "iris"], "are english-french, dates. Received: dataset='iris'"),
        (
            ["fit", "mlp", "--dataset", "iris"],
            "'mlp' has no choice of data sets (these have: autoencoder, bahdanau-attention, ",
        ),
        (["fit", "saddle-escape", "--dataset", "iris"], "leave out --dataset"),
        (["fit", "seq2seq", "--resume", "run", "--dataset", "dates"], "leave out --dataset"),
        (["fit", "lenet", "--epochs", "0"], "at least 1"),
        (["fit", "lenet", "--epochs", "-3"], "at least 1"),
        (["fit", "lenet", "--epochs", "two"], "integer"),
        (["fit", "lenet", "--seed", "-1"], "at least 0"),
        (["fit", "lenet", "--seed", str(2**31)], "below 2**31"),
        (["fit", "lenet", "--threads", "0"], "at least 1"),
        (["fit", "lenet", "--colour"], "--colour"),
        (["evaluate", "no/such/run"], "no run folder"),
        (["report", "no/such/run"], "no run folder"),
        (["export", "no/such/run", "there"], "no run folder"),
        (["export", "run"], "DIR"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_is_one_line_and_exit_code_2(capsys, argv, hint):
    assert hint in one_error(capsys, *argv)


def test_fit_evaluate_report_and_export_work_on_one_run_and_with_the_data_it_chose(capsys, tmp_path, plane):
    run = str(tmp_path / "run")
    assert main(["fit", "plane", "--dataset", "quarters", "--out", run, "--seed", "4", "--epochs", "2"]) == 0
    assert json.loads((tmp_path / "run" / "config.json").read_text())["data"]["name"] == "quarters"
    captured = capsys.readouterr()
    assert "test accuracy" in captured.out and "(coin: 0.5000)" in captured.out
    assert f"run folder    {run}" in captured.out and f"SavedModel    {run}/export/1" in captured.out
    assert "epoch 1/2" in captured.err and "epoch 2/2" in captured.err and "loss" in captured.err

    accuracy = json.loads((tmp_path / "run" / "metrics.json").read_text())["test"]["accuracy"]
    assert main(["evaluate", run]) == 0
    assert f"{accuracy:.4f}   (recorded: {accuracy:.4f})" in capsys.readouterr().out
    assert main(["evaluate", run, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["test"]["accuracy"] == pytest.approx(accuracy)

    assert main(["report", run]) == 0
    assert "quarters: 5" in (tmp_path / "run" / "report.html").read_text()
    assert "report.html" in capsys.readouterr().out
    assert main(["export", run, str(tmp_path / "served")]) == 0
    assert (tmp_path / "served" / "1" / "saved_model.pb").is_file()


def test_a_corrupted_model_is_one_line(capsys, tmp_path, plane):
    run = tmp_path / "run"
    assert main(["fit", "plane", "--out", str(run), "--tiny"]) == 0
    capsys.readouterr()
    (run / "model.keras").write_bytes(b"PK" + bytes(1000))
    for verb in (["evaluate", str(run)], ["report", str(run)], ["export", str(run), str(tmp_path / "served")]):
        assert "model.keras cannot be trusted" in one_error(capsys, *verb)


def test_a_folder_that_cannot_be_written_is_one_line(capsys, tmp_path, plane):
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "file", tmp_path / "file" / "below", "/proc/run"):
        assert "hoose another folder" in one_error(capsys, "fit", "plane", "--out", str(place))
    assert (tmp_path / "file").read_text() == "mine"


def test_a_loss_that_is_not_finite_is_one_line_on_stderr(capsys, tmp_path, plane):
    import keras

    compiled = plane.make().compile
    plane.recipe = lambda: plane.make(
        compile=lambda spec: {**compiled(spec), "optimizer": keras.optimizers.SGD(float("inf"))},
    )
    assert main(["fit", "plane", "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("keras-course: error: The loss is not finite at step") and "last good weights" in error
    assert (tmp_path / "run" / "model.keras").is_file()


def test_missing_data_are_one_line(capsys, tmp_path, plane, monkeypatch):
    monkeypatch.setenv("KERAS_COURSE_DATA", str(tmp_path / "nothing"))
    plane.recipe = lambda: plane.make(dataset="no-such-set")
    assert "no-such-set" in one_error(capsys, "fit", "plane", "--out", str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_a_run_below_its_floor_is_warned_about(capsys, tmp_path, plane):
    plane.recipe = lambda: plane.make(floor={"accuracy": 2.0})
    assert main(["fit", "plane", "--out", str(tmp_path / "run")]) == 0
    assert "below what the recipe must reach: accuracy" in capsys.readouterr().err


def test_debug_adds_the_traceback_before_the_line(capsys, plane, tmp_path):
    def broken():
        raise RuntimeError("first line\n   second line")

    plane.recipe = broken
    assert "RuntimeError: first line second line" in one_error(capsys, "fit", "plane")
    for argv in (["--debug", "fit", "plane"], ["fit", "plane", "--debug"]):
        assert main(argv) == 2
        error = capsys.readouterr().err
        assert "Traceback (most recent call last)" in error
        assert error.strip().splitlines()[-1] == "keras-course: error: RuntimeError: first line second line"


def test_an_interrupt_exits_with_130(capsys, plane):
    def interrupted():
        raise KeyboardInterrupt

    plane.recipe = interrupted
    assert main(["fit", "plane"]) == 130
    assert capsys.readouterr().err.strip() == "keras-course: interrupted"


def test_long_errors_are_shortened():
    assert len(one_line("word " * 1000)) == 400 and one_line("a\n  b") == "a b"


def test_a_signature_is_read_without_importing_the_module():
    described = describe("keras_course.core.shapes:require_rank")
    assert described.signature == "require_rank(who, shape, *ranks)"
    assert described.summary.startswith("Refuses a shape") and described.example.startswith(">>> require_rank")
    assert describe("keras_course.nowhere:Nothing").signature == ""


def test_list_show_and_help_import_neither_tensorflow_nor_keras_nor_numpy():
    program = (
        "import sys; from keras_course.cli.main import main\n"
        "verbs = ['list'], ['show', 'lenet'], ['--help'], ['fit', '--help'], ['evaluate', 'nowhere']\n"
        "for argv in verbs:\n"
        "    main(argv)\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'tensorflow', 'keras', 'numpy', 'matplotlib'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stdout


def test_resume_takes_no_other_settings_and_only_a_run_of_that_system(capsys, tmp_path):
    line = one_error(capsys, "fit", "lenet", "--resume", str(tmp_path), "--seed", "3", "--checkpoint-steps", "5")
    assert line.endswith("leave out --seed, --checkpoint-steps.")
    assert "There is no run folder" in one_error(capsys, "fit", "lenet", "--resume", str(tmp_path / "nowhere"))
    assert "holds no config.json" in one_error(capsys, "fit", "lenet", "--resume", str(tmp_path))
    assert "must be above 0, got '0'" in one_error(capsys, "fit", "lenet", "--checkpoint-seconds", "0")


def test_a_run_that_failed_goes_on_once_what_stopped_it_is_gone(capsys, tmp_path, plane, monkeypatch):
    from keras_course.pipeline import fit as step

    with monkeypatch.context() as patch:
        patch.setattr(step, "save_model", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        assert main(["fit", "plane", "--dataset", "quarters", "--out", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err.strip().endswith("error: OSError: [Errno 28] No space left on device")
    assert main(["fit", "plane", "--resume", str(tmp_path / "run")]) == 0
    assert "resumed       from the beginning" in capsys.readouterr().out
    assert json.loads((tmp_path / "run" / "config.json").read_text())["data"]["name"] == "quarters"
    assert "nothing to resume" in one_error(capsys, "fit", "plane", "--resume", str(tmp_path / "run"))
