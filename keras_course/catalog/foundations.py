"""Rows of the first chapters: perceptrons, regression, backpropagation, losses, information, output distributions."""

from keras_course.catalog.entry import Entry

_MODELS = "keras_course.models.perceptrons"
_RECIPES = "keras_course.recipes.perceptrons"
_OPS = "keras_course.ops"
_LABELS = {"y_true": {"shape": [6], "dtype": "int32", "max": 4}, "y_pred": {"shape": [6, 4]}}

ROWS = (
    Entry(
        "perceptron", "Perceptron with the mistake-driven rule", shape="model",
        object=f"{_MODELS}.perceptron:Perceptron", init={"features": 3}, inputs=(4, 3),
        recipe=f"{_RECIPES}:perceptron", sources=("C 1.2", "S 9.1"),
    ),
    Entry(
        "linear-regression", "Linear regression, closed forms and gradient descent", shape="model",
        object=f"{_MODELS}.linear_regression:LinearRegression", init={"features": 3}, inputs=(4, 3),
        recipe=f"{_RECIPES}:linear_regression", sources=("C 2.3", "C 6.2", "C 6.3"),
        members=(
            f"{_OPS}.regression:ordinary_least_squares", f"{_OPS}.regression:ridge",
            f"{_OPS}.regression:minimum_norm_solution", f"{_OPS}.regression:lasso",
            f"{_OPS}.regression:soft_threshold",
        ),
    ),
    Entry(
        "logistic-regression", "Logistic regression: a Bernoulli output unit", shape="model",
        object=f"{_MODELS}.logistic_regression:LogisticRegression", init={"features": 3}, inputs=(4, 3),
        recipe=f"{_RECIPES}:logistic_regression", sources=("C 4.3", "S 9.3"),
    ),
    Entry(
        "softmax-regression", "Softmax regression: a multinoulli output unit", shape="model",
        object=f"{_MODELS}.softmax_regression:SoftmaxRegression", init={"features": 3, "classes": 4}, inputs=(4, 3),
        recipe=f"{_RECIPES}:softmax_regression", sources=("C 4.3", "S 9.3"),
    ),
    Entry(
        "mlp", "Multilayer perceptron", shape="model",
        object=f"{_MODELS}.mlp:MLP", init={"features": 3, "units": (5, 2)}, inputs=(4, 3),
        recipe=f"{_RECIPES}:mlp", sources=("C 4.1", "C 4.5", "S 9.1"),
    ),
    Entry(
        "backprop", "Multilayer perceptron trained by the written-out delta recursion", shape="model",
        object=f"{_MODELS}.backprop:BackpropMLP", init={"features": 3, "units": (5, 2)}, inputs=(4, 3),
        recipe=f"{_RECIPES}:backprop", sources=("C 5.1", "S 9.1"),
    ),
    Entry(
        "activations", "Activation functions and their derivatives", shape="op",
        object=f"{_OPS}.activations:relu", inputs=(4, 3), sources=("C 4.4", "C 9.1", "S 9.2"),
        members=(
            *(
                f"{_OPS}.activations:{name}"
                for name in ("leaky_relu", "prelu", "maxout", "softplus", "logistic", "tanh")
            ),
            "keras_course.layers.maxout:Maxout", "keras_course.layers.prelu:PReLU",
        ),
    ),
    Entry(
        "logistic-loss", "Logistic loss on labels -1 and +1", shape="block",
        object="keras_course.losses.logistic:LogisticLoss",
        inputs={"y_true": {"shape": [6, 1], "dtype": "sign"}, "y_pred": {"shape": [6, 1]}}, sources=("S 9.1", "S 9.3"),
    ),
    Entry(
        "softmax-loss", "Softmax loss from logits", shape="block",
        object="keras_course.losses.softmax:SoftmaxLoss", inputs=_LABELS, sources=("C 4.3", "S 9.1", "S 9.3"),
    ),
    Entry(
        "half-squared-loss", "Half squared error", shape="block",
        object="keras_course.losses.half_squared:HalfSquaredLoss",
        inputs={"y_true": {"shape": [6, 4]}, "y_pred": {"shape": [6, 4]}}, sources=("S 9.1", "S 9.3", "C 4.3"),
    ),
    Entry(
        "top-k-ranking-loss", "Top-k multiclass hinge loss", shape="block",
        object="keras_course.losses.top_k_ranking:TopKRankingLoss", init={"k": 2}, inputs=_LABELS, sources=("S 9.1",),
    ),
    Entry(
        "preference-loss", "Pairwise preference loss", shape="block",
        object="keras_course.losses.preference:PreferenceLoss",
        inputs={"y_true": {"shape": [6], "dtype": "int32", "max": 2}, "y_pred": {"shape": [6, 2]}}, sources=("S 9.1",),
    ),
    Entry(
        "information", "Self-information, entropy, divergence and cross-entropy", shape="op",
        object="keras_course.distributions.information:entropy", inputs={"p": {"shape": [4], "dtype": "probability"}},
        sources=("C 3.1",),
        members=tuple(
            f"keras_course.distributions.information:{name}"
            for name in ("self_information", "kl_divergence", "cross_entropy")
        ),
    ),
    Entry(
        "bayes-optimal", "Most likely hypothesis against most likely class", shape="op",
        object=f"{_OPS}.bayes:bayes_optimal_class", sources=("C 3.2",),
        members=(f"{_OPS}.bayes:maximum_likelihood", f"{_OPS}.bayes:maximum_a_posteriori"),
    ),
    Entry(
        "distribution-output", "Any conditional distribution as a network's output", shape="block",
        object="keras_course.distributions.distribution_output:DistributionOutput", init={"family": "normal"},
        inputs=(4, 3), recipe="keras_course.recipes.distributions:mixture_density", sources=("C 4.3.1",),
        members=("keras_course.distributions.negative_log_likelihood:NegativeLogLikelihood",),
    ),
    Entry(
        "calculus", "Jacobian, Hessian and condition number", shape="op",
        object=f"{_OPS}.calculus:jacobian", sources=("C 2.1",),
        members=(f"{_OPS}.calculus:hessian", f"{_OPS}.calculus:condition_number"),
    ),
)  # fmt: skip
