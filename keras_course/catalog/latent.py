"""Rows of the chapters on latent variables: k-means, mixtures, expectation-maximisation."""

from keras_course.catalog.entry import Entry

_MODELS = "keras_course.models.latent"
_OPS = "keras_course.ops"
_RECIPES = "keras_course.recipes.latent"

ROWS = (
    Entry(
        "k-means", "k-means by Lloyd's algorithm", shape="model",
        object=f"{_MODELS}.k_means:KMeans", init={"clusters": 3, "features": 2}, inputs=(12, 2),
        recipe=f"{_RECIPES}:k_means", sources=("B",),
        members=(
            *(
                f"{_OPS}.clustering:{name}"
                for name in ("lloyd_step", "cluster_cost", "seeding_probabilities", "k_means_plus_plus")
            ),
            "keras_course.metrics.purity:Purity",
        ),
    ),
    Entry(
        "gmm", "Gaussian mixture trained by EM", shape="model",
        object=f"{_MODELS}.gaussian_mixture:GaussianMixture", init={"components": 2, "features": 2}, inputs=(12, 2),
        recipe=f"{_RECIPES}:gmm", sources=("B", "R"),
        members=(f"{_OPS}.mixtures:gaussian_log_joint", f"{_OPS}.mixtures:gaussian_m_step"),
    ),
    Entry(
        "em", "Expectation-maximisation for any discrete latent variable", shape="op",
        object=f"{_OPS}.expectation_maximization:expectation_maximization", recipe=f"{_RECIPES}:em", sources=("B", "R"),
        members=(
            *(
                f"{_OPS}.expectation_maximization:{name}"
                for name in ("responsibilities", "log_evidence", "free_energy", "divergence_from_posterior")
            ),
            f"{_OPS}.binomial_mixture:binomial_log_joint", f"{_OPS}.binomial_mixture:binomial_m_step",
            f"{_MODELS}.binomial_mixture:BinomialMixture",
        ),
    ),
)  # fmt: skip
