"""Rows of the chapter on regularization."""

from keras_course.catalog.entry import Entry

_LABELS = {"y_true": {"shape": [6], "dtype": "int32", "max": 4}, "y_pred": {"shape": [6, 4]}}
_OPS = "keras_course.ops"

PENALTIES_AND_NOISE = (
    Entry(
        "weight-decay", "Weight decay: a penalty, or a shrinking step", shape="block",
        object="keras_course.regularizers.weight_decay:WeightDecay", init={"alpha": 0.1}, inputs=(3, 2),
        sources=("C 6.2", "S 9.4"),
        members=(
            "keras_course.optimizers.decoupled_weight_decay:DecoupledWeightDecay",
            f"{_OPS}.penalties:l2_penalty", f"{_OPS}.penalties:weight_decay_step",
        ),
    ),
    Entry(
        "l1", "L1 penalty, and the proximal step that makes exact zeros", shape="block",
        object="keras_course.regularizers.l1:L1", init={"alpha": 0.1}, inputs=(3, 2), sources=("C 6.3",),
        members=(
            "keras_course.regularizers.l1:SoftThreshold",
            f"{_OPS}.penalties:l1_penalty", f"{_OPS}.penalties:proximal_l1_step",
        ),
    ),
    Entry(
        "parameter-tying", "Two models kept close by a penalty", shape="model",
        object="keras_course.models.regularized.tied_pair:TiedPair",
        init={"features": 2, "units": (5, 4), "strength": 0.1}, inputs=(4, 3),
        recipe="keras_course.recipes.regularization:parameter_tying", sources=("C 6.10",),
        members=(f"{_OPS}.penalties:tying_penalty",),
    ),
    Entry(
        "dropout", "Dropout and the ensemble of sub-networks", shape="block",
        object="keras_course.layers.dropout:Dropout", init={"rate": 0.4, "rule": "weight-scaling"}, inputs=(4, 5, 3),
        recipe="keras_course.recipes.regularization:dropout", sources=("C 6.12.1", "S 9.4"),
        members=(
            "keras_course.models.regularized.dropout_mlp:DropoutMLP",
            *(
                f"{_OPS}.dropout:{name}"
                for name in (
                    "dropout_mask", "drop_units", "expected_units", "all_masks", "mask_probabilities",
                    "arithmetic_ensemble", "geometric_ensemble",
                )
            ),
        ),
    ),
    Entry(
        "dropconnect", "Dropout of connections", shape="block",
        object="keras_course.layers.drop_connect:DropConnect",
        init={"units": 3, "rate": 0.3, "mask_per_example": True, "activation": "tanh"}, inputs=(4, 5, 2),
        sources=("S 9.4",),
    ),
    Entry(
        "noise-injection", "Noise on inputs, hidden units, weights and labels", shape="block",
        object="keras_course.layers.noise_injection:NoiseInjection", init={"stddev": 0.3}, inputs=(4, 5, 3),
        sources=("C 6.4", "S 9.3"),
        members=(
            "keras_course.layers.noise_injection:NoisyDense",
            f"{_OPS}.noise:inject_noise", f"{_OPS}.noise:corrupt_labels",
        ),
    ),
    Entry(
        "label-smoothing", "Label smoothing in the notes' form and in Keras's", shape="block",
        object="keras_course.losses.label_smoothing:LabelSmoothingLoss", init={"epsilon": 0.2, "convention": "keras"},
        inputs=_LABELS, sources=("C 6.4",),
        members=(f"{_OPS}.label_smoothing:smooth_labels", f"{_OPS}.label_smoothing:label_smoothing_loss"),
    ),
    Entry(
        "sparse-representation", "A penalty on activations", shape="block",
        object="keras_course.layers.activity_penalty:ActivityPenalty", init={"alpha": 0.3}, inputs=(4, 5, 3),
        sources=("C 6.11",),
    ),
)  # fmt: skip

STOPPING = (
    Entry(
        "early-stopping", "Early stopping that returns the best parameters", shape="block",
        object="keras_course.pipeline.early_stopping:EarlyStopping", init={"monitor": "val_loss", "patience": 3},
        sources=("C 6.9",), members=(f"{_OPS}.early_stopping:stopping_point",),
    ),
)  # fmt: skip

_AUGMENTATION = "keras_course.layers.augmentation"

AUGMENTATION = (
    Entry(
        "augmentation", "Augmentation of images, sound and text, drawn by relevance", shape="block",
        object=f"{_AUGMENTATION}.geometry:RandomRotation", init={"angle": 0.3, "fill": 0.5}, inputs=(3, 5, 6, 2),
        sources=("C 6.4", "S 9.3"),
        members=(
            *(
                f"{_AUGMENTATION}.{name}"
                for name in (
                    "geometry:RandomShift", "geometry:RandomScale", "colour:RandomColourShift", "focus:RandomBlur",
                    "geometry:RandomAffine", "focus:RandomSharpen", "sound:RandomEcho", "sound:RandomNoise",
                    "text:RandomTypos", "text:RandomOmissions", "weighted_choice:WeightedChoice",
                )
            ),
            *(
                f"{_OPS}.augmentation{name}"
                for name in (
                    ":choose", ":standard_normals", "_warps:bilinear", "_warps:shift_images", "_warps:scale_images",
                    "_warps:rotate_images", "_warps:affine_images", "_pixels:shift_colours", "_pixels:blur_images",
                    "_pixels:sharpen_images", "_sound:add_echo", "_sound:mix_noise", "_text:substitute_neighbours",
                    "_text:substitute_others", "_text:omit_tokens", "_text:keyboard_neighbours",
                )
            ),
            "keras_course.pipeline.augment:augmented",
        ),
    ),
)  # fmt: skip

_MODELS = "keras_course.models.regularized"
_RECIPES = "keras_course.recipes.shared_representations"

SHARED_REPRESENTATIONS = (
    Entry(
        "semi-supervised", "A classifier and an autoencoder with one encoder", shape="model",
        object=f"{_MODELS}.semi_supervised:SemiSupervised",
        init={"shape": 3, "encoder": (6,), "classifier": 4, "decoder": (5,), "code_units": 2, "noise": 0.1},
        inputs=(4, 3), recipe=f"{_RECIPES}:semi_supervised", sources=("C 6.5",),
    ),
    Entry(
        "multi-task", "Several tasks on one trunk, with missing labels", shape="model",
        object=f"{_MODELS}.multi_task:MultiTask",
        init={"shape": 3, "trunk": (5,), "heads": {"quadrant": 4, "order": 2}, "weights": {"order": 0.5}},
        inputs=(4, 3), recipe=f"{_RECIPES}:multi_task", sources=("C 6.7",),
    ),
    Entry(
        "transfer", "A trunk from another task, frozen or fine-tuned", shape="model",
        object=f"{_MODELS}.transfer:Transfer",
        init={"shape": 3, "trunk": (5,), "head": 4, "trainable_trunk": "fine-tune", "trunk_rate": 0.25},
        inputs=(4, 3), recipe=f"{_RECIPES}:transfer", sources=("C 6.6",),
    ),
    Entry(
        "label-efficiency", "Accuracy against labels, with and without unlabelled digits", shape="experiment",
        object="keras_course.experiments.label_efficiency:run",
        recipe="keras_course.experiments.label_efficiency:Config", sources=("C 6.5",),
    ),
)  # fmt: skip

ROWS = (*PENALTIES_AND_NOISE, *STOPPING, *AUGMENTATION, *SHARED_REPRESENTATIONS)
