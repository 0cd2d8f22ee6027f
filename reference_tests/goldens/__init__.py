"""Golden cases: every worked number of the notes as data, with the tool that derives, checks and lists them.

    python -m reference_tests.goldens --check            recompute every expected value by its oracle and compare
    python -m reference_tests.goldens --write            pin the new files that have no expected value yet
    python -m reference_tests.goldens --write ID --reason "..."   change one that is pinned
    python -m reference_tests.goldens --errata           write docs/ERRATA.md

None of this needs TensorFlow or keras_course.
"""
