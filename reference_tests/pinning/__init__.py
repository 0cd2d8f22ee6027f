"""Derives, checks and pins the goldens by their oracles; the command is `python -m reference_tests.goldens`."""
