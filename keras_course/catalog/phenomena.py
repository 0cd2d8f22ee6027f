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
    Entry(
        "sgd-against-gd", "What an excess error costs: full batch, mini-batch, one example a step", shape="experiment",
        object="keras_course.experiments.sgd_against_gd:run",
        recipe="keras_course.experiments.sgd_against_gd:Config",
        sources=("C 2.2", "C 7.1.2", "C 7.3.1", "S 9.4"),
        members=(
            "keras_course.experiments.noisy_descent:descend_on_batches",
            "keras_course.experiments.noisy_descent:expected_excess",
            "keras_course.experiments.noisy_descent:stationary_excess",
        ),
    ),
    Entry(
        "vanishing-gradient", "How much of the gradient arrives at each layer, and whether the network learns",
        shape="experiment", object="keras_course.experiments.vanishing_gradient:run",
        recipe="keras_course.experiments.vanishing_gradient:Config",
        sources=("C 7.2.5", "C 7.4", "C 7.7", "R", "N", "B"),
        members=(
            "keras_course.experiments.deep_gradients:chain_derivatives",
            "keras_course.experiments.deep_gradients:hidden_layers",
            "keras_course.experiments.deep_gradients:gradient_by_depth",
            "keras_course.experiments.deep_gradients:wide_factors",
        ),
    ),
    Entry(
        "bias-variance", "Bias, variance and noise against capacity, exactly", shape="experiment",
        object="keras_course.experiments.bias_variance:run",
        recipe="keras_course.experiments.bias_variance:Config", sources=("C 1.1", "R"),
        members=(
            "keras_course.experiments.bias_variance:legendre_features",
            "keras_course.experiments.bias_variance:linear_smoother",
            "keras_course.experiments.bias_variance:split_of_the_error",
            "keras_course.experiments.bias_variance:training_error",
        ),
    ),
    Entry(
        "flat-minima", "Sharpness and loss around the ends of small- and large-batch training", shape="experiment",
        object="keras_course.experiments.flat_minima:run",
        recipe="keras_course.experiments.flat_minima:Config", sources=("R",),
        members=(
            "keras_course.experiments.loss_landscape:hessian_vector_product",
            "keras_course.experiments.loss_landscape:sharpness",
            "keras_course.experiments.loss_landscape:unit_scaled",
            "keras_course.experiments.loss_landscape:loss_along",
            "keras_course.experiments.loss_landscape:rescaled",
            "keras_course.experiments.loss_landscape:scores",
            "keras_course.experiments.loss_landscape:cross_entropy",
        ),
    ),
    Entry(
        "gradient-over-time", "How much of an error reaches the steps before it, and clipping", shape="experiment",
        object="keras_course.experiments.gradient_over_time:run",
        recipe="keras_course.experiments.gradient_over_time:Config", sources=("C 13.1", "C 7.2.5", "N", "B"),
        members=(
            "keras_course.experiments.gradient_over_time:recall_task",
            "keras_course.experiments.gradient_over_time:error_at_each_step",
        ),
    ),
    Entry(
        "mode-collapse", "Eight heaps on a ring: a generator that makes one, and games in which it makes all",
        shape="experiment", object="keras_course.experiments.mode_collapse:run",
        recipe="keras_course.experiments.mode_collapse:Config", sources=("R",),
        members=(
            "keras_course.experiments.mode_collapse:ring_of_heaps",
            "keras_course.experiments.mode_collapse:heaps_covered",
        ),
    ),
    Entry(
        "likelihood-table", "Log-likelihoods of digits: every model on the same pixels, in one table",
        datasets=dict.fromkeys(
            ("digits-flat", "mnist", "fashion-mnist"), "keras_course.experiments.likelihood_table:Config"
        ),
        shape="experiment", object="keras_course.experiments.likelihood_table:run",
        recipe="keras_course.experiments.likelihood_table:Config", sources=("R", "C 18.3", "C 19.4"),
        members=(
            "keras_course.experiments.likelihood_table:factorised_log_likelihood",
            "keras_course.experiments.likelihood_table:bits_per_value",
        ),
    ),
)  # fmt: skip
