"""The order of the kit's tests: models, which take longest, begin the half of either worker."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two workers begin with a half each and then take over the end of the other's: short tests there let none wait."""
    if any(item.path.parent != HERE for item in items):
        return
    long = [item for item in items if item.path.name == "test_models_conform.py"]
    short = [item for item in items if item.path.name != "test_models_conform.py"]
    cut = max(0, len(items) // 2 - len(long[::2]))
    items[:] = [*long[::2], *short[:cut], *long[1::2], *short[cut:]]
