"""Rows of the chapter on autoencoders and sparse coding."""

from keras_course.catalog.entry import Entry, on_images

_MODELS = "keras_course.models.autoencoders"
_OPS, _RECIPES = "keras_course.ops", "keras_course.recipes.autoencoders"

ROWS = (
    Entry(
        "autoencoder", "Autoencoder: deep, tied, trained layer by layer, stochastic", shape="model",
        object=f"{_MODELS}.autoencoder:Autoencoder", init={"shape": 4, "code": 2, "units": (3,), "tied": True},
        inputs=(12, 4), **on_images(f"{_RECIPES}:autoencoder"), sources=("C 16.1", "C 16.2", "S 9.3", "R"),
        members=tuple(
            f"{_OPS}.reconstruction:{name}" for name in ("squared_errors", "mean_squared_errors", "bernoulli_errors")
        ),
    ),
    Entry(
        "pca", "Principal component analysis", shape="model",
        object="keras_course.models.latent.pca:PCA", init={"components": 2, "features": 3}, inputs=(12, 3),
        **on_images(f"{_RECIPES}:pca"), sources=("C 16.2", "S 9.3"),
        members=tuple(
            f"{_OPS}.principal_components:{name}"
            for name in ("principal_components", "to_components", "from_components", "principal_angles")
        ),
    ),
    Entry(
        "denoising-autoencoder", "Reconstruction of clean data from corrupted ones; the score", shape="model",
        object=f"{_MODELS}.denoising:DenoisingAutoencoder", init={"shape": 4, "code": 5, "amount": 0.5},
        inputs=(12, 4), **on_images(f"{_RECIPES}:denoising_autoencoder"), sources=("C 16.5", "R"),
        members=tuple(f"{_OPS}.corruption:{name}" for name in ("corrupted", "score_of_reconstruction")),
    ),
    Entry(
        "sparse-autoencoder", "Many code units, few at work", shape="model",
        object=f"{_MODELS}.sparse:SparseAutoencoder", init={"shape": 4, "code": 6, "strength": 0.05},
        inputs=(12, 4), **on_images(f"{_RECIPES}:sparse_autoencoder"), sources=("C 16.4", "R"),
        members=tuple(f"{_OPS}.code_penalties:{name}" for name in ("absolute_codes", "activity_divergence")),
    ),
    Entry(
        "contractive-autoencoder", "A penalty on the code's squared slopes", shape="model",
        object=f"{_MODELS}.contractive:ContractiveAutoencoder",
        init={"shape": 4, "code": 3, "units": (5,), "activation": "tanh", "strength": 0.05},
        inputs=(12, 4), **on_images(f"{_RECIPES}:contractive_autoencoder"), sources=("C 16.6", "R"),
        members=(f"{_OPS}.code_penalties:squared_jacobian_norm",),
    ),
    Entry(
        "sparse-coding", "Few atoms of a dictionary make each x: ISTA, FISTA, and the dictionary", shape="model",
        object=f"{_MODELS}.sparse_coding:SparseCoding", init={"atoms": 6, "features": 4, "penalty": 0.3, "steps": 10},
        inputs=(12, 4), recipe="keras_course.recipes.sparse_coding:sparse_coding", sources=("R",),
        members=tuple(
            f"{_OPS}.sparse_coding:{name}"
            for name in ("sparse_coding_cost", "ista_step", "sparse_codes", "threshold_code", "dictionary_update")
        ),
    ),
)  # fmt: skip
