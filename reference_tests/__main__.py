"""The whole suite, `python -m reference_tests`, or what is named behind it, as pytest takes it.

Without names it runs in parts, one after the other, each in processes of its own: TensorFlow keeps every compiled graph
for as long as the process lives, and all models together would need ten gigabytes in each of two processes.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
APART = (("conformance",), ("recipes", "models"))  # what compiles most; all other folders are the last part
PYTEST = (sys.executable, "-m", "pytest", "-n", "2", "--dist", "worksteal", "--doctest-modules")


def parts() -> list[list[str]]:
    """The paths of each part: together every folder of tests, and the package for its examples."""
    folders = sorted({path.relative_to(HERE).parts[0] for path in HERE.rglob("test_*.py")})
    rest = [name for name in folders if not any(name in part for part in APART)]
    paths = [[f"reference_tests/{name}" for name in part] for part in (*APART, rest)]
    paths[-1].append("keras_course")
    return paths


def main(arguments: list[str]) -> int:
    """Runs pytest; 0 if every part passed."""
    named = any(not argument.startswith("-") for argument in arguments)
    codes = [
        subprocess.run([*PYTEST, *arguments, *paths], cwd=HERE.parent, check=False).returncode
        for paths in ([[]] if named else parts())
    ]
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
