"""Rows of what the course shows by experiment."""

from keras_course.catalog.entry import Entry

ROWS = (
    Entry(
        "saddle-escape", "How long descent stays at a saddle, flat or not", shape="experiment",
        object="keras_course.experiments.saddle_escape:run",
        recipe="keras_course.experiments.saddle_escape:Config", sources=("R",),
        members=(
            "keras_course.experiments.saddle_escape:saddle_value",
            "keras_course.experiments.saddle_escape:saddle_gradient",
            "keras_course.experiments.saddle_escape:saddle_curvature",
            "keras_course.experiments.saddle_escape:descend",
        ),
    ),
    Entry(
        "lr-u-curve", "Training loss and test error against the learning rate", shape="experiment",
        object="keras_course.experiments.lr_u_curve:run",
        recipe="keras_course.experiments.lr_u_curve:Config", sources=("C 9.1.5",),
        members=(
            "keras_course.experiments.lr_u_curve:train_at_every_rate",
            "keras_course.experiments.lr_u_curve:loss_and_error",
        ),
    ),
    Entry(
        "ill-conditioning", "Steps through a narrow valley, optimizer by optimizer", shape="experiment",
        object="keras_course.experiments.ill_conditioning:run",
        recipe="keras_course.experiments.ill_conditioning:Config",
        sources=("C 7.2.1", "C 7.3.2", "C 7.5", "C 7.6"),
        members=("keras_course.experiments.ill_conditioning:best_rates",),
    ),
)  # fmt: skip
