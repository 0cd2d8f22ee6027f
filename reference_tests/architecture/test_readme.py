"""The README's table is current, its code runs, its commands exist."""

import os
import re
import subprocess
import sys

from keras_course.cli.main import VERBS
from reference_tests.architecture.readme_table import with_table


def test_the_table_of_systems_is_current(checkout):
    text = (checkout / "README.md").read_text("utf-8")
    assert text == with_table(text), "run python -m reference_tests.architecture.readme_table --write"


def test_every_python_example_runs_in_the_order_it_stands(checkout, tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", (checkout / "README.md").read_text("utf-8"), re.S)
    assert len(blocks) >= 4
    script = tmp_path / "readme.py"
    # The collector of cycles off: most of the time goes into imports, a quarter of it into that.
    script.write_text("\n".join(["import gc; gc.disable()", *blocks]), "utf-8")
    result = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(checkout)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-2000:]


def test_every_command_names_a_verb_that_exists(checkout):
    text = (checkout / "README.md").read_text("utf-8")
    used = set(re.findall(r"keras-course (\w+)", text))
    assert used and used <= set(VERBS)


def test_the_two_commands_are_the_ones_ci_runs(checkout):
    text = (checkout / "README.md").read_text("utf-8")
    assert "python -m pip install . && keras-course fit lenet" in text
    assert "python -m pip install tox && tox" in text
    assert "python -m pip install --quiet tox && tox" in (checkout / ".ci/run").read_text("utf-8")


def test_files_that_readme_links_to_exist(checkout):
    text = re.sub(r"```.*?```", "", (checkout / "README.md").read_text("utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (checkout / target).exists(), target
