"""From an image to the words that describe it: a network that sees, and one that speaks and chooses where to look.

    a_j           = relu([trunk(image)_j, place_j] W + b)           annotation of place j of the feature map
    h_0, c_0      = tanh(mean_j a_j W_h), mean_j a_j W_c
    alpha_t, z_t  = softmax_j v . tanh(h_{t-1} W + a_j U),   sum_j alpha_tj a_j       where to look for word t
    h_t, c_t      = LSTM([E y_{t-1}, z_t], h_{t-1}, c_{t-1})
    log p(y_t)    = log softmax([h_t, z_t] V + c)
    loss          = -sum_t log p(y_t | y_1 ... y_{t-1}, image)      nats a caption, its end counted

Conventions that bite. z_t is looked up by h_{t-1}, before the word it serves is known; without attention it is the mean
of the annotations at every step, one vector for the whole image. place_j is (row, column) in [-1, 1]: without it no
annotation would say where it lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_course.core.loops import scan, sizes_of, unstacked
from keras_course.core.model import Endpoint, Model
from keras_course.core.seeds import derive_seed, uniform_noise
from keras_course.core.serial import register
from keras_course.core.shapes import require_positive_int, require_rank
from keras_course.datasets.text import END, PAD, START, Vocabulary
from keras_course.layers.additive_attention import AdditiveAttention
from keras_course.layers.convolution import Convolution2D
from keras_course.layers.pooling import MaxPooling
from keras_course.layers.recurrent import LSTMCell
from keras_course.models.recurrent.text_tables import TextTables
from keras_course.ops.decoding import Decoded, beam, greedy, sample

__all__ = ["Captioner"]

UNROLLED = 32  # captions up to this many words are laid out in the graph


@register("Captioner")
class Captioner(Model):
    """Describes images in words of a fixed vocabulary; each word looks at a part of the image.

    p(caption | image) = prod_t p(y_t | y_1 ... y_{t-1}, z_t),   z_t = sum_j alpha_tj a_j

    `model(images)` and `predict` give ids (B, length) of the likeliest word at every step. `compile()` takes an
    optimizer, no loss. Metrics: `word_accuracy`, of words given the true ones before them, and `exact_match`, of whole
    captions: what `predict` gets right to the last word, for the likeliest word after true words only is the likeliest
    after the model's own as long as none was wrong.

    Endpoints take images and answer in strings: serving_default and caption (images), beam (images), sample (images,
    seed, temperature), and attend (images, captions): log p of captions of yours, and where each word looks.

    Args:
        image_shape: tuple (H, W, C); sizes may be None for a trunk that takes any.
        vocabulary: `datasets.text.Vocabulary`, or its tokens; ids 0 to 3 are padding, start, end and unknown.
        length: int, most words of a caption, its end counted.
        trunk: Keras layer or model, images -> feature map (B, h, w, C'), freeze it to keep its weights; None for four
            small convolutions, each place of whose map sees 24 x 24 pixels and lies four from the next.
        units: int, width H of the decoder.
        embedding: int, width of a word's vector.
        annotation: int, width of an annotation.
        attention: int, width of the network that scores places; None for no attention.
        dropout: float in [0, 1), share of the read-out's inputs left out in training.
        beam_width: int k, of the endpoint `beam`.
        seed: int, root of initial weights and dropout.
        **kwargs: as keras.Model.

    Input shape:
        (B, H, W, C). Targets: int ids (B, T), T <= length, END after the last word, then PAD.

    Output shape:
        (B, length), int32.

    Raises:
        ValueError: for sizes below 1, inputs or captions of another shape, or a loss in compile.

    Example:
        >>> model = Captioner((8, 8, 1), ["a", "small", "7"], length=4, units=5)
        >>> images, words = ops.ones((2, 8, 8, 1)), ops.array([[4, 6, 2, 0], [4, 5, 6, 2]])
        >>> log_p, maps = model.score(images, words)
        >>> tuple(model(images).shape), tuple(log_p.shape), tuple(maps.shape)
        ((2, 4), (2,), (2, 4, 2, 2))

    Source: B, C 10.3.3; Vinyals et al. 2015; Xu et al. 2015 (soft attention).
    """

    def __init__(
        self,
        image_shape: Sequence[int | None],
        vocabulary: Any,
        length: int,
        trunk: Any = None,
        units: int = 128,
        embedding: int = 32,
        annotation: int = 64,
        attention: int | None = 64,
        dropout: float = 0.0,
        beam_width: int = 4,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        require_positive_int(
            "Captioner", length=length, units=units, embedding=embedding, annotation=annotation, beam_width=beam_width
        )  # fmt: skip
        if attention is not None:
            require_positive_int("Captioner", attention=attention)
        require_rank("Captioner", image_shape, 3)
        if not 0 <= dropout < 1:
            raise ValueError(f"Captioner needs dropout in [0, 1). Received: dropout={dropout}")
        self.image_shape = tuple(image_shape)
        self.vocabulary = vocabulary if isinstance(vocabulary, Vocabulary) else Vocabulary(tuple(vocabulary))
        self.length, self.units, self.beam_width = int(length), int(units), int(beam_width)
        self.embedding_width, self.annotation_width = int(embedding), int(annotation)
        self.attention_units, self.dropout = attention, dropout

        self.trunk_given = trunk is not None
        self.trunk = trunk if trunk is not None else self._small_trunk()
        self.annotate = self._dense("annotate", annotation, activation="relu")
        self.start = self._dense("start", 2 * units)
        self.attend = None
        if attention is not None:
            self.attend = AdditiveAttention(
                attention, self._glorot("attention"), self._glorot("attention", "vector"), name="attend",
                dtype=self.dtype_policy,
            )  # fmt: skip
        self.embedding = keras.layers.Embedding(
            len(self.vocabulary), embedding, name="embedding", dtype=self.dtype_policy,
            embeddings_initializer=keras.initializers.RandomNormal(stddev=0.3, seed=derive_seed(seed, "embedding")),
        )  # fmt: skip
        self.cell = LSTMCell(
            units, kernel_initializer=self._glorot("cell"), name="cell", dtype=self.dtype_policy,
            recurrent_initializer=keras.initializers.Orthogonal(seed=derive_seed(seed, "cell", "recurrent")),
        )  # fmt: skip
        self.read_out = self._dense("read_out", len(self.vocabulary))
        self.tables = TextTables(self.vocabulary, "vocabulary")
        self.word_accuracy = keras.metrics.Mean(name="word_accuracy")
        self.exact_match = keras.metrics.Mean(name="exact_match")
        self.build((None, *self.image_shape))

    def _glorot(self, *path: str) -> Any:
        return keras.initializers.GlorotUniform(derive_seed(self.seed, *path))

    def _dense(self, name: str, units: int, **how: Any) -> Any:
        return keras.layers.Dense(
            units, kernel_initializer=self._glorot(name), name=name, dtype=self.dtype_policy, **how
        )  # fmt: skip

    def _small_trunk(self) -> Any:
        def convolution(filters: int, size: int, number: int) -> Any:
            start = keras.initializers.HeNormal(derive_seed(self.seed, "trunk", number))
            return Convolution2D(
                filters, size, padding="same", activation="relu", kernel_initializer=start, dtype=self.dtype_policy
            )

        def pool() -> Any:
            return MaxPooling(2, padding="same", dtype=self.dtype_policy)

        layers = [
            convolution(16, 5, 0), pool(), convolution(32, 3, 1), convolution(64, 3, 2), pool(), convolution(64, 3, 3)
        ]  # fmt: skip
        return keras.Sequential(layers, name="trunk")

    def build(self, input_shape: Any = None) -> None:
        if not self.trunk.built:
            self.trunk.build((None, *self.image_shape))
        features = self.trunk.compute_output_shape((None, *self.image_shape))
        require_rank("Captioner, whose trunk gives feature maps,", features, 4)
        width = self.annotation_width
        self.annotate.build((None, None, features[-1] + 2))
        self.start.build((None, width))
        if self.attend is not None:
            self.attend.build((None, self.units), (None, None, width))
        self.embedding.build((None,))
        self.cell.build((None, self.embedding_width + width))
        self.read_out.build((None, self.units + width))
        self.input_spec = keras.InputSpec(ndim=4)
        self.built = True

    def annotations(self, images: Any, training: bool = False) -> tuple[Any, tuple[Any, Any]]:
        """a_j of every place, row by row: tensor (B, h w, D), and (h, w)."""
        require_rank("Captioner", images.shape, 4)
        features = self.trunk(ops.cast(images, self.compute_dtype), training=training)  # (B, h, w, C)
        batch, height, width, _ = sizes_of(features)
        rows, columns = (_from_minus_one_to_one(size, features.dtype) for size in (height, width))
        places = ops.stack(ops.meshgrid(rows, columns, indexing="ij"), axis=-1)  # (h, w, 2)
        places = ops.broadcast_to(places[None], (batch, height, width, 2))
        placed = ops.concatenate([features, places], axis=-1)
        placed = ops.reshape(placed, (batch, height * width, features.shape[-1] + 2))
        return self.annotate(placed), (height, width)

    def prepared(self, annotations: Any) -> tuple[list[Any], dict[str, Any]]:
        """[h_0, c_0], and what stays the same at every step: annotations, their mean, and what scores them."""
        mean = ops.mean(annotations, axis=1)
        hidden, cell = ops.split(self.start(mean), 2, axis=-1)
        context = {"annotations": annotations, "mean": mean}
        if self.attend is not None:
            context["keys"] = self.attend.keys(annotations)
        return [ops.tanh(hidden), cell], context

    def look(self, h: Any, context: dict[str, Any]) -> tuple[Any, Any]:
        """z_t (B, D) and alpha_t (B, places) for the state before the word."""
        annotations = context["annotations"]
        if self.attend is not None:
            return self.attend(h, annotations, keys=context["keys"])
        even = ops.ones_like(annotations[:, :, 0]) / ops.cast(ops.shape(annotations)[1], annotations.dtype)
        return context["mean"], even

    def step(self, tokens: Any, state: list[Any], context: dict[str, Any]) -> tuple[Any, list[Any]]:
        """Logits (B, V) of the next word after `tokens` (B,), and the state that it leaves."""
        z, _ = self.look(state[0], context)
        h, state = self.cell(ops.concatenate([self.embedding(tokens), z], axis=-1), state)
        return self.read_out(ops.concatenate([h, z], axis=-1)), state

    def taught(self, images: Any, words: Any, training: bool = False) -> tuple[Any, Any]:
        """Logits (B, T, V) of every word given the true ones before it, and alpha (B, T, h, w)."""
        require_rank("Captioner", words.shape, 2)
        words = ops.cast(words, "int32")
        annotations, grid = self.annotations(images, training)
        state, context = self.prepared(annotations)
        first = ops.full_like(words[:, :1], START)
        fed = self.embedding(ops.concatenate([first, words[:, :-1]], axis=1))  # (B, T, E)
        fed = ops.transpose(fed, (1, 0, 2))
        batch, length = ops.shape(annotations)[0], sizes_of(fed)[0]
        unroll = isinstance(length, int) and length <= UNROLLED

        def step(states: list[Any], now: list[Any]) -> tuple[list[Any], list[Any]]:
            z, alpha = self.look(states[0], context)
            _, states = self.cell(ops.concatenate([now[0], z], axis=-1), states)
            return states, [states[0], z, alpha]

        places = sizes_of(annotations)[1]
        shapes = [(batch, self.units), (batch, self.annotation_width), (batch, places)]
        steps = fed if unroll else unstacked(fed)
        _, _, kept = scan(step, state, [steps], shapes, length=length, unroll=unroll)
        h, z, alpha = (ops.transpose(each.stack(), (1, 0, 2)) for each in kept)  # (B, T, …)
        seen = ops.concatenate([h, z], axis=-1)
        if training and self.dropout:
            seen = self._thinned(seen)
        return self.read_out(seen), ops.reshape(alpha, (batch, length, *grid))

    def _thinned(self, seen: Any) -> Any:
        """Inverted dropout, the same on one replica as on several, and in a resumed run."""
        rows, length, width = sizes_of(seen)
        first, total = self.share_of_batch(rows)
        noise = uniform_noise((total, length, width), self.step_seed("dropout"))[first : first + rows]
        kept = ops.cast(noise >= self.dropout, seen.dtype)
        return seen * kept / (1 - self.dropout)

    def score(self, images: Any, words: Any) -> tuple[Any, Any]:
        """log p(caption | image) (B,), and alpha (B, T, h, w) of every word, zeros after the end.

        Args:
            images: tensor (B, H, W, C).
            words: integer tensor (B, T), ids with END after the last word, then PAD.
        """
        logits, maps = self.taught(images, words)
        counted = ops.cast(ops.not_equal(words, PAD), logits.dtype)
        return ops.sum(counted * self._log_p(logits, words), axis=1), maps * counted[:, :, None, None]

    def _log_p(self, logits: Any, words: Any) -> Any:
        """log p of each word, (B, T)."""
        log_p = ops.log_softmax(logits, axis=-1)
        return ops.take_along_axis(log_p, ops.cast(words, "int32")[..., None], axis=-1)[..., 0]

    def call(self, images: Any, training: bool = False) -> Any:
        # In training it only serves metrics of yours, and graphs leave it out.
        return self.greedy(images).tokens

    def _decoded(self, images: Any, how: Any) -> Decoded:
        annotations, _ = self.annotations(images)
        state, context = self.prepared(annotations)
        first = ops.full((ops.shape(annotations)[0],), START, "int32")
        return how(self.step, state, first, length=self.length, end=END, pad=PAD, context=context)  # type: ignore[no-any-return]

    def greedy(self, images: Any) -> Decoded:
        """`ops.decoding.Decoded`: the likeliest word at every step."""
        return self._decoded(images, greedy)

    def beam(self, images: Any, width: int | None = None) -> Decoded:
        """`ops.decoding.Decoded` of the best captions (B, width, length), best first."""
        width = self.beam_width if width is None else width
        return self._decoded(images, lambda *args, **how: beam(*args, width=width, **how))

    def sample(self, images: Any, seed: Any, temperature: Any = 1.0) -> Decoded:
        """`ops.decoding.Decoded`: words drawn by chance, a function of the seed, int32 (2,)."""
        return self._decoded(images, lambda *args, **how: sample(*args, seed, temperature=temperature, **how))

    def compile(self, optimizer: Any = "adam", loss: Any = None, **kwargs: Any) -> None:
        """As keras.Model.compile, without a loss: -log p(caption | image) is part of the model."""
        if loss is not None:
            raise ValueError(f"Captioner has its own loss and takes none. Received: loss={loss!r}")
        super().compile(optimizer=optimizer, **kwargs)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        if y is None:
            raise ValueError("Captioner learns from captions, ids (B, T). Received: y=None")
        logits, _ = self.taught(x, y, training)

        counted = ops.cast(ops.not_equal(y, PAD), logits.dtype)  # (B, T)
        loss = -ops.sum(counted * self._log_p(logits, y), axis=1)
        weights = ops.ones_like(loss)
        if sample_weight is not None:
            weights = ops.reshape(ops.cast(sample_weight, loss.dtype), (-1,))

        right = ops.cast(ops.equal(ops.argmax(logits, axis=-1), ops.cast(y, "int32")), logits.dtype)
        self.word_accuracy.update_state(right, counted * weights[:, None])
        self.exact_match.update_state(ops.min(ops.where(counted > 0, right, ops.ones_like(right)), axis=1), weights)
        return self.mean_over_rows(loss * weights) + sum(self._aggregate_additional_loss(each) for each in self.losses)

    def in_words(self, image: Any, y: Any, answer: Any) -> dict[str, str]:
        """A caption (T,) and an answer (length,) in ids, as a person reads them."""
        (target,), (said,) = self.vocabulary.decode([y]), self.vocabulary.decode([answer])
        return {"target": target, "answer": said}

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (input_shape[0], self.length)

    def endpoints(self) -> dict[str, Endpoint]:
        """In strings: `caption`, `beam`, `sample`, and `attend` for captions that are given."""
        import tensorflow as tf

        images = keras.InputSpec(shape=(None, *self.image_shape), dtype=self.input_dtype, name="images")
        seed, warmth = tf.TensorSpec((2,), "int32", name="seed"), tf.TensorSpec((), "float32", name="temperature")
        captions = tf.TensorSpec((None,), "string", name="captions")

        def told(found: Decoded) -> dict[str, Any]:
            return {"captions": self.tables.texts(found.tokens), "log_probs": found.log_probs}

        def caption(images: Any) -> dict[str, Any]:
            found = self.greedy(images)
            return {**told(found), "attention": self.score(images, found.tokens)[1]}

        def attend(images: Any, captions: Any) -> dict[str, Any]:
            log_probs, maps = self.score(images, self.tables.ids(captions))
            return {"log_probs": log_probs, "attention": maps}

        return {
            "serving_default": (caption, [images]),
            "caption": (caption, [images]),
            "beam": (lambda images: told(self.beam(images)), [images]),
            "sample": (lambda images, seed, warmth: told(self.sample(images, seed, warmth)), [images, seed, warmth]),
            "attend": (attend, [images, captions]),
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "image_shape": list(self.image_shape),
            "vocabulary": list(self.vocabulary.tokens),
            "length": self.length,
            "trunk": keras.saving.serialize_keras_object(self.trunk) if self.trunk_given else None,
            "units": self.units,
            "embedding": self.embedding_width,
            "annotation": self.annotation_width,
            "attention": self.attention_units,
            "dropout": self.dropout,
            "beam_width": self.beam_width,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Captioner:
        config = dict(config)
        trunk = config.pop("trunk")
        return cls(**config, trunk=None if trunk is None else keras.saving.deserialize_keras_object(trunk))


def _from_minus_one_to_one(size: Any, dtype: Any) -> Any:
    """`size` numbers, evenly; 0 where there is one."""
    last = ops.cast(ops.maximum(size - 1, 1), dtype)
    return (2 * ops.cast(ops.arange(size), dtype) - ops.cast(size - 1, dtype)) / last
