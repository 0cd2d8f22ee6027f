"""The recipe of the masked flow on a tiny run: bits, figures, and the terms it shares with the coupling flows."""

import numpy as np

from keras_course.pipeline.fit import fit
from keras_course.recipes.flows import real_nvp
from keras_course.recipes.masked_flow import maf


def test_a_tiny_run_draws_every_figure_and_measures_bits(tmp_path):
    fitted = fit(maf(), out=tmp_path / "run", tiny=True, progress=False)
    assert len(fitted.figures) == len(fitted.recipe.figures)
    assert np.isfinite(fitted.metrics["test"]["bits_per_dimension"])
    assert set(fitted.baseline.metrics) <= set(fitted.metrics["test"])


def test_it_is_judged_as_the_coupling_flows_are():
    ours, theirs = maf(), real_nvp()
    assert (ours.dataset, ours.baseline, dict(ours.ceiling)) == (theirs.dataset, theirs.baseline, dict(theirs.ceiling))
