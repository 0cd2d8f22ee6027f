"""Rows of the chapter on structured prediction."""

from keras_course.catalog.entry import Entry

ROWS = (
    Entry(
        "graph-cut", "Foreground segmentation by a minimum cut, with a proved bound", shape="solver",
        object="keras_course.structured.graph_cut:graph_cut", sources=("N",),
        members=(
            "keras_course.structured.problem:PairwiseProblem",
            "keras_course.structured.segmentation:grid_edges",
            "keras_course.structured.segmentation:contrast",
            "keras_course.structured.segmentation:colour_log_probabilities",
            "keras_course.structured.segmentation:foreground_problem",
        ),
    ),
)  # fmt: skip
