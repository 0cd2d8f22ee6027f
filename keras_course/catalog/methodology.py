"""Rows of the chapter on practical methodology: metrics, model selection, search, debugging."""

from keras_course.catalog.entry import Entry

_METRICS = "keras_course.metrics"
_OPS = "keras_course.ops"
_PIPELINE = "keras_course.pipeline"

ROWS = (
    Entry(
        "metrics", "Precision, recall, F-measure, PR curve, cost, coverage", shape="block",
        object=f"{_METRICS}.precision_recall:FBeta", init={"beta": 2.0, "classes": 3},
        inputs={
            "y_true": {"shape": (6,), "dtype": "int32", "max": 3},
            "y_pred": {"shape": (6, 3), "dtype": "probability"},
        },
        sources=("C 9.1.1", "C 9.1.2"),
        members=(
            f"{_METRICS}.precision_recall:Precision", f"{_METRICS}.precision_recall:Recall",
            f"{_METRICS}.pr_curve:PRCurve", f"{_METRICS}.total_cost:TotalCost", f"{_METRICS}.coverage:Coverage",
            *(
                f"{_OPS}.detection:{name}"
                for name in (
                    "accuracy", "average_over_classes", "contingency", "cost_threshold", "f_beta", "precision",
                    "quotient", "recall", "total_cost",
                )
            ),
            *(
                f"{_OPS}.threshold_curves:{name}"
                for name in (
                    "average_precision", "average_precision_bounds", "count_between_thresholds", "coverage_curve",
                    "precision_recall_curve", "sums_from_the_top", "threshold_grid", "trapezoidal_area",
                )
            ),
        ),
    ),
    Entry(
        "cross-validation", "Hold-out, k-fold and leave-one-out for any model", shape="op",
        object=f"{_PIPELINE}.cross_validation:cross_validate", sources=("C 1.3",),
        members=(
            *(
                f"{_PIPELINE}.cross_validation:{name}"
                for name in ("CrossValidated", "Selected", "cross_validate_recipe", "keras_scorer", "select_model")
            ),
            *(f"keras_course.datasets.folds:{name}" for name in ("hold_out", "k_folds", "leave_one_out")),
        ),
    ),
    Entry(
        "search", "Grid, random and Bayesian search for hyper-parameters, on KerasTuner", shape="op",
        object=f"{_PIPELINE}.search:search", sources=("C 9.1.5", "S 9.4"),
        members=(
            *(f"{_PIPELINE}.search:{name}" for name in ("SearchResult", "SearchTrial")),
            *(f"{_PIPELINE}.search_space:{name}" for name in ("Choice", "Range", "grid_points", "parse_space")),
            *(
                f"{_PIPELINE}.search_recipe:{name}"
                for name in (
                    "SearchedRecipe", "default_space", "experiment_objective", "recipe_objective", "recipe_with",
                    "search_figure", "search_recipe",
                )
            ),
        ),
    ),
    Entry(
        "debugging", "Why does it not train? Gradients, units, a tiny set, worst mistakes", shape="op",
        object=f"{_PIPELINE}.diagnose:diagnose", sources=("C 9.1.4", "C 9.1.6", "C 7.2.2"),
        members=(
            *(
                f"{_PIPELINE}.diagnose:{name}"
                for name in ("Diagnosis", "Finding", "Limits", "advise", "label_relation")
            ),
            *(
                f"{_PIPELINE}.probe:{name}"
                for name in ("LayerActivity", "gradient_norms", "layer_outputs", "loss_and_gradients", "unit_activity")
            ),
            *(f"{_PIPELINE}.gradient_check:{name}" for name in ("CheckedGradient", "gradient_check")),
            *(
                f"{_PIPELINE}.trial_training:{name}"
                for name in ("ShortTraining", "TinyFit", "short_training", "tiny_set_fit")
            ),
            *(
                f"{_PIPELINE}.learning_curve:{name}"
                for name in ("LearningCurve", "learning_curve", "learning_curve_figure")
            ),
            *(f"{_PIPELINE}.worst_examples:{name}" for name in ("WorstExample", "worst_examples")),
            *(f"{_PIPELINE}.saliency:{name}" for name in ("saliency", "score_slopes", "smooth_saliency")),
            *(f"{_PIPELINE}.diagnosis_plots:{name}" for name in ("diagnosis_figure", "layer_curves")),
            *(f"{_PIPELINE}.diagnose_run:{name}" for name in ("DiagnosedRun", "diagnose_run")),
            *(
                f"keras_course.callbacks.training_watch:{name}"
                for name in ("GradientNorms", "UnitActivity", "UpdateRatios")
            ),
        ),
    ),
)  # fmt: skip
