"""Golden cases: every worked number of the notes as data. `python -m reference_tests.goldens` derives and checks them.

--check                        recompute every expected value by its oracle and compare
--write                        pin the new files that have no expected value yet
--write ID --reason "..."      change one that is pinned
--errata                       write docs/ERRATA.md

None of this needs TensorFlow or keras_course.
"""
