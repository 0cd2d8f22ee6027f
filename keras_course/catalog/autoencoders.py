"""Rows of the chapter on autoencoders and sparse coding."""

from keras_course.catalog.entry import Entry

_OPS, _RECIPES = "keras_course.ops", "keras_course.recipes.autoencoders"

ROWS = (
    Entry(
        "pca", "Principal component analysis", shape="model",
        object="keras_course.models.latent.pca:PCA", init={"components": 2, "features": 3}, inputs=(12, 3),
        recipe=f"{_RECIPES}:pca", sources=("C 16.2", "S 9.3"),
        members=tuple(
            f"{_OPS}.principal_components:{name}"
            for name in ("principal_components", "to_components", "from_components", "principal_angles")
        ),
    ),
)  # fmt: skip
