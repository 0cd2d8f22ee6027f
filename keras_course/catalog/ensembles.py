"""Rows of the chapter on regularization: ensembles and adversarial training."""

from keras_course.catalog.entry import Entry

_MODELS = "keras_course.models.regularized"
_OPS = "keras_course.ops"
_RECIPES = "keras_course.recipes"

ROWS = (
    Entry(
        "bagging", "Bagging: bootstrap samples, votes and averages", shape="model",
        object=f"{_MODELS}.bagging:Bagging",
        init={
            "member": {"class_name": "keras_course>SoftmaxRegression", "config": {"features": 3, "classes": 4}},
            "members": 3, "combination": "distribution",
        },
        inputs=(12, 3), recipe=f"{_RECIPES}.ensembles:bagging", sources=("C 6.12",),
        members=(
            f"{_MODELS}.bagging:draw_bootstrap",
            *(
                f"{_OPS}.ensembles:{name}"
                for name in (
                    "bootstrap_counts", "ensemble_output", "out_of_bag_output", "predicted_class", "mistakes",
                    "expected_squared_error", "ensemble_squared_errors",
                )
            ),
        ),
    ),
    Entry(
        "boosting", "Boosting: AdaBoost over any classifier", shape="model",
        object=f"{_MODELS}.adaboost:AdaBoost",
        init={
            "member": {"class_name": "keras_course>DecisionStump", "config": {"features": 3, "classes": 4}},
            "members": 3,
        },
        inputs=(12, 3), recipe=f"{_RECIPES}.ensembles:boosting", sources=("C 6.12",),
        members=(
            f"{_MODELS}.decision_stump:DecisionStump", f"{_OPS}.decision_stump:best_stump",
            *(
                f"{_OPS}.boosting:{name}"
                for name in ("weighted_error", "member_weight", "reweighted", "training_error_bound")
            ),
        ),
    ),
    Entry(
        "adversarial-training", "Fast gradient sign attack, and training against it", shape="model",
        object=f"{_MODELS}.adversarial_training:AdversarialTraining",
        init={
            "model": {"class_name": "keras_course>SoftmaxRegression", "config": {"features": 3, "classes": 4}},
            "epsilon": 0.2, "bounds": [-2.0, 2.0],
        },
        inputs=(12, 3), recipe=f"{_RECIPES}.adversarial:adversarial_training", sources=("C 6.13", "R"),
        members=(f"{_OPS}.adversarial:fast_gradient_sign",),
    ),
)  # fmt: skip
