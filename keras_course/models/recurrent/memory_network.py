"""A memory network, trained end to end: a story of sentences is looked at several times to answer a question.

    m_i = sum_j l_j * A^k x_ij + T_A^k(age i)        what a sentence is compared by
    c_i = sum_j l_j * C^k x_ij + T_C^k(age i)        what it says
    u_1 = sum_j l_j * B q_j                          the question
    p   = softmax_i(u_k . m_i),   o_k = sum_i p_i c_i
    u_{k+1} = u_k + o_k,  or H u_k + o_k with layer-wise tying
    answer  = argmax softmax(W u_{K+1})

| tying | weights of K hops | u_{k+1} |
|---|---|---|
| adjacent | A^{k+1} = C^k, B = A^1, W = C^K: K + 1 tables | u_k + o_k |
| layer | A^1 = ... = A^K, C^1 = ... = C^K, B and W apart | H u_k + o_k |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_course.core.model import Endpoint, Model
from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import require_features, require_one_of, require_positive_int, require_rank
from keras_course.models.recurrent.story_text import StoryText
from keras_course.ops.memory_hop import memory_hop, position_encoded

__all__ = ["MemoryNetwork"]

TYING = ("adjacent", "layer")


@register("MemoryNetwork")
class MemoryNetwork(Model):
    """Answers a question from a story, by attention over its sentences, hop after hop; `call` returns logits.

    u' = u + sum_i softmax_i(u . m_i) c_i,   logits = W u_{K+1}

    The answers have rows of their own in the tables where they are no word of the vocabulary ("apple,lamp").

    Args:
        vocabulary: sequence of V words, in lower case; word v has number v + 1 in x, 0 is no word.
        answers: sequence of strings, one a class.
        sentences: int S, how many sentences, the latest, are remembered.
        words: int W, words of a sentence.
        width: int d, width of all vectors.
        hops: int K.
        tying: "adjacent" or "layer".
        position_encoding: whether words are weighted by their place; else a bag of words.
        temporal_encoding: whether a learned vector tells how old a sentence is.
        linear_start: int, for so many steps of training the softmax of the hops is left out.
        deviation: float, of the normal numbers that all tables start with.
        seed: int, root of initial weights.
        **kwargs: as keras.Model.

    Input shape:
        (B, S + 1, W) integers, as `datasets.stories` makes them: sentences, the latest last, then the question.

    Output shape:
        (B, answers), logits.

    Raises:
        ValueError: for a bad argument, or inputs of another shape.

    Example:
        >>> model = MemoryNetwork(("ada", "attic", "is", "where"), ("attic", "cellar"), sentences=2, words=4)
        >>> tuple(model(ops.ones((3, 3, 4), "int32")).shape)
        (3, 2)
        >>> found = model.answer(["Ada is in the attic."], ["Where is Ada?"])
        >>> found["answer"].numpy()[0].decode() in ("attic", "cellar"), tuple(found["attention"].shape)
        (True, (1, 3, 2))

    Source: S 9.5; Sukhbaatar et al. 2015.
    """

    keras_step = True

    def __init__(
        self,
        vocabulary: Sequence[str],
        answers: Sequence[str],
        sentences: int,
        words: int,
        width: int = 32,
        hops: int = 3,
        tying: str = "adjacent",
        position_encoding: bool = True,
        temporal_encoding: bool = True,
        linear_start: int = 0,
        deviation: float = 0.1,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        require_positive_int("MemoryNetwork", sentences=sentences, words=words, width=width, hops=hops)
        require_one_of("MemoryNetwork", TYING, tying=tying)
        for name, given in {"vocabulary": vocabulary, "answers": answers}.items():
            if isinstance(given, str) or not given or len(set(given)) != len(tuple(given)) or "" in given:
                raise ValueError(f"MemoryNetwork needs {name} of different strings. Received: {name}={given!r}")
        if isinstance(linear_start, bool) or not isinstance(linear_start, int) or linear_start < 0:
            raise ValueError(f"MemoryNetwork needs linear_start as a count of steps. Received: {linear_start=}")
        if not deviation > 0:
            raise ValueError(f"MemoryNetwork needs a positive deviation. Received: {deviation=}")
        self.vocabulary, self.answers = tuple(vocabulary), tuple(answers)
        self.sentences, self.words, self.width, self.hops = int(sentences), int(words), int(width), int(hops)
        self.tying, self.position_encoding, self.temporal_encoding = (
            tying,
            bool(position_encoding),
            bool(temporal_encoding),
        )
        self.linear_start, self.deviation = linear_start, float(deviation)

        number = {word: 1 + place for place, word in enumerate(self.vocabulary)}
        for answer in self.answers:
            number.setdefault(answer.lower() if answer.lower() in number else answer, 1 + len(number))
        self.rows_of_answers = [
            number[answer.lower() if answer.lower() in number else answer] for answer in self.answers
        ]
        rows = 1 + len(number)
        tables = hops + 1 if tying == "adjacent" else 3
        self.tables = [self._table(f"words_{k}", rows) for k in range(tables)]
        ages = (tables if tying == "adjacent" else 2) if temporal_encoding else 0
        self.ages = [self._table(f"ages_{k}", self.sentences) for k in range(ages)]
        self.carry = self._table("carry", self.width) if tying == "layer" else None  # H
        self.read_out = self._table("read_out", self.width, len(self.answers)) if tying == "layer" else None
        self.linear = self.add_weight(
            name="linear", shape=(), initializer=keras.initializers.Constant(float(linear_start > 0)), trainable=False,
            aggregation="only_first_replica",
        )  # fmt: skip
        self.text = StoryText(self.vocabulary, self.answers, self.sentences, self.words)
        self.build((None, self.sentences + 1, self.words))

    def _table(self, name: str, rows: int, columns: int | None = None) -> Any:
        start = keras.initializers.RandomNormal(stddev=self.deviation, seed=derive_seed(self.seed, name))
        return self.add_weight(name=name, shape=(rows, columns or self.width), initializer=start)

    def build(self, input_shape: Any = None) -> None:
        self.built = True

    def call(self, inputs: Any) -> Any:
        return self.look(inputs)["logits"]

    def look(self, inputs: Any) -> dict[str, Any]:
        """Logits, and what every hop listened to.

        Args:
            inputs: integers (B, S + 1, W).

        Returns:
            {"logits": (B, answers), "attention": (B, hops, S)}.
        """
        require_rank("MemoryNetwork", inputs.shape, 3)
        require_features("MemoryNetwork", inputs.shape, self.sentences + 1, axis=1)
        require_features("MemoryNetwork", inputs.shape, self.words)
        x = ops.cast(inputs, "int32")
        words = x > 0
        present = ops.any(words, axis=-1)[:, :-1]  # (B, S)
        adjacent = self.tying == "adjacent"

        def sentences(k: int) -> Any:
            vectors = self.encoded(k, x[:, :-1], words[:, :-1])  # (B, S, d)
            return vectors + ops.cast(ops.convert_to_tensor(self.ages[k]), vectors.dtype) if self.ages else vectors

        u = self.encoded(0 if adjacent else 2, x[:, -1], words[:, -1])  # (B, d)
        memories, attention = sentences(0), []
        outputs = memories if adjacent else sentences(1)
        for k in range(self.hops):
            outputs = sentences(k + 1) if adjacent else outputs
            found, listened = memory_hop(u, memories, outputs, present, self.linear > 0.5)
            u = (u if adjacent else ops.matmul(u, self.carry)) + found
            attention.append(listened)
            memories = outputs if adjacent else memories
        if adjacent:
            rows = ops.take(
                ops.cast(self.tables[-1], u.dtype), ops.convert_to_tensor(self.rows_of_answers, "int32"), axis=0
            )
            logits = ops.matmul(u, ops.transpose(rows))
        else:
            logits = ops.matmul(u, self.read_out)
        return {"logits": logits, "attention": ops.stack(attention, axis=1)}

    def encoded(self, table: int, x: Any, words: Any) -> Any:
        """Sentences (..., W) as vectors (..., d), by one of the tables."""
        embedded = ops.take(ops.cast(self.tables[table], self.compute_dtype), x, axis=0)
        return position_encoded(embedded, words, self.position_encoding)

    def train_step(self, data: Any) -> Any:
        logs = super().train_step(data)
        if self.linear_start:
            self.linear.assign(ops.cast(self.optimizer.iterations < self.linear_start, self.linear.dtype))
        return logs

    def answer(self, story: Any, question: Any) -> dict[str, Any]:
        """Strings in, strings out.

        Args:
            story: tensor (B,) of strings: sentences, each ended by . ! ? or a new line. Of more than S the latest
                count, of a sentence the first W known words; unknown words are left out.
            question: tensor (B,) of strings.

        Returns:
            {"answer": (B,) strings, "probabilities": (B, answers), "attention": (B, hops, S), the latest sentence in
            the last column}.
        """
        found = self.look(self.text.numbers(story, question))
        probabilities = ops.softmax(ops.cast(found["logits"], self.variable_dtype), axis=-1)
        best = ops.argmax(found["logits"], axis=-1)
        return {"answer": self.text.answer(best), "probabilities": probabilities, "attention": found["attention"]}

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (input_shape[0], len(self.answers))

    def endpoints(self) -> dict[str, Endpoint]:
        """`serving_default` logits of numbers; `look` with attention; `answer` from a story and a question in words."""
        x = keras.InputSpec(shape=(None, self.sentences + 1, self.words), dtype="int32", name="inputs")
        story, question = (tf.TensorSpec((None,), tf.string, name=name) for name in ("story", "question"))
        return {
            "serving_default": (lambda inputs: self(inputs, training=False), [x]),
            "look": (lambda inputs: self.look(inputs), [x]),
            "answer": (lambda story, question: self.answer(story, question), [story, question]),
        }

    def get_config(self) -> dict[str, Any]:
        names = (
            "sentences", "words", "width", "hops", "tying", "position_encoding", "temporal_encoding", "linear_start",
            "deviation",
        )  # fmt: skip
        return {
            **super().get_config(),
            "vocabulary": list(self.vocabulary),
            "answers": list(self.answers),
            **{name: getattr(self, name) for name in names},
        }
