"""Context prediction: where a piece of an image belongs, told from what it shows.

    features f_j = trunk(piece j)        one trunk for all pieces, pieces cut from a grid x grid raster
    position   J = 1/N sum_i 1/8 sum_n -log softmax(g([f_centre, f_n]))_n          n = 0 ... 7, row by row around it
    jigsaw     J = 1/N sum_i 1/K sum_k -log softmax(g([f_{p_k(0)}, ..., f_{p_k(P-1)}]))_k     K orders, far apart
    g(h) = W2' relu(W1' h + b1) + b2

The first is printed as "ordering of two randomly chosen pieces" under the title of the second. The trunk sees each
piece alone, so that all orders of an image cost one pass of it: the head alone is asked K times.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_course.core.seeds import uniform_noise
from keras_course.core.serial import register
from keras_course.core.shapes import normalize_tuple, require_one_of, require_positive_int
from keras_course.layers.sub_networks import told
from keras_course.models.selfsupervised.given_distortions import distorted, distortions_of, numbers_an_image
from keras_course.models.selfsupervised.pretext_task import PretextTask
from keras_course.models.selfsupervised.trunk import require_images, trunk_of
from keras_course.ops.jigsaw import image_pieces, permutation_set, shuffled_pieces

__all__ = ["ContextPrediction"]

AROUND = 3  # pieces along a side for the task "position": a centre and eight neighbours


@register("ContextPrediction")
class ContextPrediction(PretextTask):
    """A trunk that sees pieces and a head that says how they belong together; `call` returns its logits.

    J = 1/N sum_i 1/K sum_k -log softmax(head(features of the pieces in arrangement k))_k

    "position" shows the head the centre of 3 x 3 pieces and one neighbour, of eight; "jigsaw" shows it all pieces, in
    one of K orders (`ops.jigsaw.permutation_set`). `fit(x)` needs no labels; a y that comes is not looked at. A step
    takes every arrangement of an image, or one drawn from (seed, step), as the papers do; `evaluate` takes all.
    `accuracy` is the share of arrangements found. `compile()` takes an optimizer, no loss.

    Args:
        shape: (height, width, channels) of one image.
        trunk: Keras layer or model, piece (B, h, w, C) -> (B, ...), or stages of convolutions for `image_trunk`.
        task: "position" or "jigsaw".
        grid: int, pieces along a side; 3 for "position".
        gap: int, pixels between pieces that none shows; below 0, pixels in which neighbours overlap (what they share
            then tells their position; small images leave no other pieces that show a stroke).
        orders: int, K of "jigsaw".
        units: int, width of the head's hidden layer.
        arrangements: "all" or "one", of each image in a training step.
        representation: what `encode` returns: "image", the trunk's features of the whole image, for which it must take
            other sizes than a piece's; "pieces", those of all pieces in a row; "penultimate", the head's hidden units
            for the pieces as they lie, for "position" the strongest answer of each unit over the eight neighbours.
        augmentation: an `Augmentation` layer, or a list of them, which are applied in order to the whole image before
            it is cut, in training alone: what the trunk shall not see. Their numbers come from (seed, step) and the
            row's place in the batch, so that a resumed run repeats them; the layers' own seeds are not used. None for
            images as they are.
        seed: int, root of the initial weights, of the arrangements and of the distortions drawn.
        **kwargs: as keras.Model.

    Input shape:
        (B, height, width, channels), images as they are.

    Output shape:
        (B, K) for "jigsaw", logits of the order in which the image shows its pieces; (B, 8, 8) for "position", a row
        of logits for each of the eight neighbours.

    Raises:
        ValueError: for an unknown task, pieces without a pixel, more orders than there are, an augmentation that is
            none, or a loss in `compile`.

    Example:
        >>> model = ContextPrediction((8, 8, 1), ((4,),), "jigsaw", grid=2, orders=6)
        >>> x = ops.ones((2, 8, 8, 1))
        >>> tuple(model(x).shape), tuple(model.encode(x).shape)
        ((2, 6), (2, 4))

    Source: R (jigsaw puzzles); C 6.8; Doersch, Gupta, Efros 2015; Noroozi and Favaro 2016.
    """

    def __init__(
        self,
        shape: Any,
        trunk: Any,
        task: str = "position",
        grid: int = AROUND,
        gap: int = 0,
        orders: int = 24,
        units: int = 64,
        arrangements: str = "all",
        representation: str = "image",
        augmentation: Any = None,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.image_shape = normalize_tuple("ContextPrediction", shape, 3, "shape")
        require_one_of("ContextPrediction", ("position", "jigsaw"), task=task)
        require_one_of("ContextPrediction", ("all", "one"), arrangements=arrangements)
        require_one_of("ContextPrediction", ("image", "pieces", "penultimate"), representation=representation)
        require_positive_int("ContextPrediction", grid=grid, orders=orders, units=units)
        if task == "position" and grid != AROUND:
            raise ValueError(f"ContextPrediction asks for positions among 3 x 3 pieces. Received: grid={grid}")
        self.task, self.grid, self.gap, self.orders, self.units = task, grid, gap, orders, units
        self.pieces, self.arrangements, self.representation = grid * grid, arrangements, representation
        plain = augmentation is None or (isinstance(augmentation, list | tuple) and not augmentation)
        self.augmentation = [] if plain else distortions_of("ContextPrediction", augmentation)
        self.table = self._table()  # (K, pieces that the head sees)
        self.given = told(trunk)
        self.trunk = trunk_of("ContextPrediction", trunk, self.image_shape[2], seed, self.dtype_policy)
        self.flatten = keras.layers.Flatten(dtype=self.dtype_policy, name="flatten")
        self.hidden = self._dense(units, "hidden", "relu")
        self.head = self._dense(len(self.table), "head", None)
        self.build((None, *self.image_shape))

    def _table(self) -> np.ndarray:
        """Which pieces the head sees in each arrangement."""
        if self.task == "jigsaw":
            return permutation_set(self.pieces, self.orders)
        centre = self.pieces // 2
        return np.array([[centre, piece] for piece in range(self.pieces) if piece != centre], "int32")

    def build(self, input_shape: Any) -> None:
        images = keras.KerasTensor((None, *self.image_shape), dtype=self.compute_dtype)
        self.call(images)
        self.encode(images)
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Logits of the pieces as they lie; in training those of shuffled ones, {"logits", "labels"}, for the loss."""
        if training:
            return self.pretext(inputs, True)
        features = self.piece_features(inputs)
        shown = features if self.task == "jigsaw" else self._arranged(features)
        return self._logits(shown)  # (B, K) or (B, 8, 8)

    def piece_features(self, images: Any, training: bool | None = False) -> Any:
        """f_j = trunk(piece j), (B, P, F).

        Args:
            images: tensor (B, H, W, C).
        """
        require_images("ContextPrediction", images.shape, self.image_shape)
        pieces = image_pieces(images, self.grid, self.gap)  # (B, P, h, w, C)
        features = self.flatten(self.trunk(ops.reshape(pieces, (-1, *pieces.shape[2:])), training=training))
        return ops.reshape(features, (-1, self.pieces, features.shape[-1]))

    def encode(self, images: Any, training: bool | None = False) -> Any:
        """The representation of whole images: (B, F), (B, P F) for "pieces", (B, units) for "penultimate".

        Args:
            images: tensor (B, H, W, C).
        """
        if self.representation != "image":
            features = self.piece_features(images, training)  # (B, P, F)
            if self.representation == "pieces":
                return self.flatten(features)
            if self.task == "jigsaw":
                return self._hidden_units(features)
            return ops.max(self._hidden_units(self._arranged(features)), axis=1)
        require_images("ContextPrediction", images.shape, self.image_shape)
        return self.flatten(self.trunk(images, training=training))

    def _hidden_units(self, shown: Any) -> Any:
        """relu(W1' [features of the pieces shown] + b1), (..., S, F) -> (..., units)."""
        return self.hidden(ops.reshape(shown, (*_leading(shown), shown.shape[-2] * shown.shape[-1])))

    def _arranged(self, features: Any) -> Any:
        """The features that the head sees in each arrangement, (B, P, F) -> (B, K, S, F)."""
        shown = ops.take(features, self.table.reshape(-1), axis=1)  # (B, K S, F)
        return ops.reshape(shown, (-1, *self.table.shape, features.shape[-1]))

    def _logits(self, shown: Any) -> Any:
        return self.head(self._hidden_units(shown))  # (..., S, F) -> (..., K)

    def pretext(self, images: Any, training: bool | None = False) -> dict[str, Any]:
        """Logits (B, A, K) of A arrangements, all K or one drawn, and int32 labels (B, A) that say which they are.

        Args:
            images: tensor (B, H, W, C).
            training: bool; evaluation takes all arrangements, of images as they are.
        """
        seen = self.distorted(images) if training else images
        features, count = self.piece_features(seen, training), len(self.table)
        rows = ops.shape(images)[0]
        if self.arrangements == "all" or not training:
            labels = ops.broadcast_to(ops.arange(count, dtype="int32"), (rows, count))
            return {"logits": self._logits(self._arranged(features)), "labels": labels}
        first, total = self.share_of_batch(rows)
        drawn = uniform_noise((total,), self.step_seed("arrangement"))[first : first + rows]
        labels = ops.cast(count * drawn, "int32")  # (B,)
        order = ops.take(ops.convert_to_tensor(self.table), labels, axis=0)  # (B, S)
        return {"logits": self._logits(shuffled_pieces(features, order))[:, None], "labels": labels[:, None]}

    def distorted(self, images: Any) -> Any:
        """The images as this training step sees them, (B, H, W, C): each in the way of its place in the whole batch.

        Args:
            images: tensor (B, H, W, C).
        """
        if not self.augmentation:
            return images
        count, rows = numbers_an_image(self.augmentation, self.image_shape), ops.shape(images)[0]
        first, total = self.share_of_batch(rows)
        uniforms = uniform_noise((total, count), self.step_seed("distortion"))[first : first + rows]  # (B, U)
        return distorted(self.augmentation, images, uniforms)

    def get_config(self) -> dict[str, Any]:
        names = ("task", "grid", "gap", "orders", "units", "arrangements", "representation")
        return {
            **super().get_config(),
            "shape": list(self.image_shape),
            "trunk": self.given,
            **{name: getattr(self, name) for name in names},
            "augmentation": [keras.saving.serialize_keras_object(layer) for layer in self.augmentation],
        }


def _leading(shown: Any) -> tuple[Any, ...]:
    """Shape without the last two axes, the batch as -1."""
    return (-1, *shown.shape[1:-2])
