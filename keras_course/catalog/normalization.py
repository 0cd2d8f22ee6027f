"""The row of normalization; it belongs to the topic optimization."""

from keras_course.catalog.entry import Entry

ROWS = (
    Entry(
        "batch-normalization", "Batch normalization, with moving averages or global statistics", shape="block",
        object="keras_course.layers.batch_normalization:BatchNormalization", init={"momentum": 0.9, "epsilon": 0.01},
        inputs=(4, 5, 3), sources=("C 7.7",),
        members=(
            "keras_course.callbacks.global_statistics:GlobalStatistics",
            "keras_course.callbacks.global_statistics:fix_global_statistics",
            "keras_course.ops.normalization:batch_moments", "keras_course.ops.normalization:merge_moments",
            "keras_course.ops.normalization:standardize",
        ),
    ),
)  # fmt: skip
