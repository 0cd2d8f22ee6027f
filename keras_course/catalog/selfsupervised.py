"""Rows on learning without labels: pretext tasks, and what their features are judged by."""

from keras_course.catalog.entry import Entry

_MODELS = "keras_course.models.selfsupervised"
_RECIPES = "keras_course.recipes.selfsupervised"
_PROBE = "keras_course.pipeline.linear_probe"

ROWS = (
    Entry(
        "linear-probe", "What features are worth: a linear classifier with few labels", shape="experiment",
        object="keras_course.experiments.few_label_probes:run",
        recipe="keras_course.experiments.few_label_probes:Config", sources=("R", "C 6.8"),
        members=(
            "keras_course.experiments.few_label_probes:features_of",
            f"{_PROBE}:linear_probe", f"{_PROBE}:logistic_regression", f"{_PROBE}:probe_of", f"{_PROBE}:LinearProbe",
            f"{_PROBE}:accuracy_against_labels",
            "keras_course.ops.clusterability:nearest_neighbour_clusterability",
            "keras_course.ops.clusterability:nearest_other",
            f"{_MODELS}.trunk:image_trunk", f"{_MODELS}.trunk:train_supervised",
        ),
    ),
    Entry(
        "rotation", "Rotation prediction: which way up is it?", shape="model",
        object=f"{_MODELS}.rotation_prediction:RotationPrediction",
        init={"shape": (4, 4, 2), "trunk": ((3,), (5,)), "rotations": "one"}, inputs=(4, 4, 4, 2),
        recipe=f"{_RECIPES}:rotation", sources=("R", "C 6.8"),
        members=tuple(
            f"keras_course.ops.rotations:{name}" for name in ("quarter_turn", "quarter_turns", "all_quarter_turns")
        ),
    ),
    Entry(
        "jigsaw", "Context prediction: which piece belongs where?", shape="model",
        object=f"{_MODELS}.context_prediction:ContextPrediction",
        init={
            "shape": (4, 4, 2), "trunk": ((5,),), "task": "jigsaw", "grid": 2, "orders": 6, "units": 7,
            "arrangements": "one",
        },
        inputs=(4, 4, 4, 2), recipe=f"{_RECIPES}:jigsaw", sources=("R", "C 6.8"),
        members=tuple(
            f"keras_course.ops.jigsaw:{name}"
            for name in ("image_pieces", "shuffled_pieces", "permutation_set", "least_distance")
        ),
    ),
    Entry(
        "inpainting", "Context encoder: fill the hole, against an adversary", shape="model",
        object=f"{_MODELS}.context_encoder:ContextEncoder",
        init={"shape": (4, 4, 2), "trunk": ((3,), (5,)), "overlap": 1, "adversarial": 0.1}, inputs=(4, 4, 4, 2),
        recipe=f"{_RECIPES}:inpainting", sources=("R", "C 6.8"),
        members=(
            *(
                f"keras_course.ops.inpainting:{name}"
                for name in (
                    "central_block", "random_blocks", "random_regions", "reconstruction_weights",
                    "masked_squared_error",
                )
            ),
            "keras_course.layers.channelwise_dense:ChannelwiseDense",
            "keras_course.callbacks.discriminator_watch:DiscriminatorWatch",
            "keras_course.callbacks.training_reports:ReportingCallback",
            "keras_course.callbacks.training_reports:require_finite_logs",
            "keras_course.callbacks.training_reports:with_reports",
            f"{_MODELS}.inpainting_networks:filling_decoder", f"{_MODELS}.inpainting_networks:region_discriminator",
        ),
    ),
    Entry(
        "contrastive", "Contrastive learning: two views of one example among all others", shape="model",
        object=f"{_MODELS}.contrastive:ContrastiveLearning",
        init={
            "shape": (4, 4, 2), "trunk": ((3,), (5,)), "projector": (4, 3), "temperature": 0.5,
            "augmentation": [{"class_name": "keras_course>RandomShift", "config": {"down": 0.5, "seed": 0}}],
        },
        inputs=(4, 4, 4, 2), recipe=f"{_RECIPES}:contrastive", sources=("R", "C 6.8"),
        members=(
            *(
                f"keras_course.ops.contrastive:{name}"
                for name in ("nt_xent", "info_nce", "cosine_similarities", "unit_vectors")
            ),
            "keras_course.losses.nt_xent:NTXentLoss",
        ),
    ),
)  # fmt: skip
