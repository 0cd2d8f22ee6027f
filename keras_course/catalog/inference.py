"""Rows of the chapters on Monte Carlo."""

from keras_course.catalog.entry import Entry

ROWS = (
    Entry(
        "markov-chain", "Markov chains: stationary distribution, convergence, paths", shape="kernel",
        object="keras_course.inference.mcmc.markov_chain:MarkovChain",
        init={"transition": [[0.9, 0.1], [0.5, 0.5]]}, inputs={"state": {"shape": [6], "dtype": "int32", "max": 1}},
        recipe="keras_course.experiments.neighbour_walk:Config", sources=("C 18.4.3", "R"),
        members=(
            "keras_course.inference.mcmc.graph_walk:neighbour_links",
            "keras_course.inference.mcmc.graph_walk:walk_on",
            "keras_course.inference.mcmc.graph_walk:second_modulus",
        ),
    ),
    Entry(
        "langevin", "Langevin Monte Carlo: unadjusted, Metropolis-adjusted, stochastic-gradient", shape="kernel",
        object="keras_course.inference.mcmc.langevin:MetropolisLangevin",
        init={"step_size": 0.5, "form": "epsilon"}, inputs=(6, 3),
        recipe="keras_course.experiments.langevin_posterior:Config", sources=("N", "R"),
        members=(
            "keras_course.inference.mcmc.langevin:UnadjustedLangevin",
            "keras_course.inference.mcmc.stochastic_gradient_langevin:StochasticGradientLangevin",
            "keras_course.ops.langevin:langevin_proposal",
            "keras_course.inference.mcmc.langevin:hastings_log_ratio",
            "keras_course.ops.langevin:langevin_coefficients",
            "keras_course.ops.langevin:langevin_moments",
        ),
    ),
)  # fmt: skip
