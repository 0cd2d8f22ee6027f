"""Rows of the chapter on structured prediction."""

from keras_course.catalog.entry import Entry

ROWS = (
    Entry(
        "graph-cut", "Labelling an image by minimum cuts, two labels or many, with a proved bound", shape="solver",
        object="keras_course.structured.graph_cut:graph_cut",
        recipe="keras_course.experiments.foreground_segmentation:Config", sources=("N",),
        members=(
            "keras_course.structured.alpha_expansion:alpha_expansion",
            "keras_course.structured.problem:PairwiseProblem",
            "keras_course.structured.segmentation:grid_edges",
            "keras_course.structured.segmentation:contrast",
            "keras_course.structured.segmentation:colour_log_probabilities",
            "keras_course.structured.segmentation:foreground_problem",
        ),
    ),
)  # fmt: skip
