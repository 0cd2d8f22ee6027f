"""Questions about small stories, generated: a house, four people, five things, and a simulator that knows the answer.

    story = f(seed, part, task, index);   a task a kind of question

| task | question | answer follows from |
|---|---|---|
| one fact | where is Ada? | the last walk of Ada |
| two facts | where is the lamp? | who has it, or dropped it, and where that was |
| three arguments | who gave the lamp to Boris? what did Ada give? who received it? | the last gift |
| yes or no | is Ada in the attic? | the last walk of Ada |
| counting | how many things does Ada carry? | all that Ada took, got, gave and dropped |
| lists | what does Ada carry? | the same; things in the order of the alphabet |

In the manner of the bAbI tasks (Weston et al. 2015), with a world, words and rules of our own and no text of theirs.
Only raw bits of Philox are used, so the same arguments give the same bits on every machine.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import require_one_of, require_positive_int
from keras_course.datasets.arrays import digest
from keras_course.datasets.dataset import Dataset, Spec, Split
from keras_course.datasets.stories import Story, encode_stories, words_of

__all__ = ["ANSWERS", "SENTENCES", "TASKS", "VOCABULARY", "WORDS", "question_stories", "question_tasks"]

TASKS = ("one fact", "two facts", "three arguments", "yes or no", "counting", "lists")
PEOPLE = ("Ada", "Boris", "Chen", "Dora")
PLACES = ("attic", "cellar", "garden", "kitchen", "library", "workshop")
THINGS = ("apple", "book", "kettle", "key", "lamp")
WALKS = ("walked to", "went to", "ran to")
NUMBERS = ("none", "one", "two", "three")
CARRIED = 3  # things a person can carry
SENTENCES, WORDS = 10, 7
CARRIES_NOTHING = "nothing"


def _lists() -> tuple[str, ...]:
    """Every set of up to three things, as one string."""
    return tuple(
        ",".join(thing for bit, thing in enumerate(THINGS) if pattern >> bit & 1) or CARRIES_NOTHING
        for pattern in range(2 ** len(THINGS))
        if pattern.bit_count() <= CARRIED
    )


ANSWERS = tuple(sorted({*PEOPLE, *PLACES, *THINGS, *NUMBERS, "yes", "no", *_lists()}))
_TEXTS = (
    "took the", "dropped the", "gave to", "where is the", "who gave", "what did give to", "who received from",
    "is in the", "how many things does carry", "what does carry", *WALKS, *PEOPLE, *PLACES, *THINGS,
)  # fmt: skip
VOCABULARY = tuple(sorted({word for text in _TEXTS for word in words_of(text)}))


class _Draws:
    """Choices from raw bits, in order."""

    def __init__(self, key: int) -> None:
        self.generator = np.random.Philox(key=key)

    def below(self, count: int) -> int:
        return (int(self.generator.random_raw()) >> 11) * count >> 53

    def one_of(self, options: Any) -> Any:
        return options[self.below(len(options))]


class _House:
    """Where everybody and everything is, and which sentence said so."""

    def __init__(self, draws: _Draws) -> None:
        self.draws = draws
        self.sentences: list[str] = []
        self.place: dict[str, tuple[str, int]] = {}  # of a person: where, and since which sentence
        self.holder: dict[str, tuple[str, int]] = {}  # of a thing
        self.left: dict[str, tuple[str, int, int]] = {}  # of a thing: where, dropped in, its holder had come in
        self.gift: tuple[str, str, str, int] | None = None  # giver, thing, receiver, sentence
        self.touched: dict[str, list[int]] = {person: [] for person in PEOPLE}  # what changed whom

    def carried(self, person: str) -> list[str]:
        return sorted(thing for thing, (holder, _) in self.holder.items() if holder == person)

    def walk(self) -> None:
        person = self.draws.one_of(PEOPLE)
        here = self.place.get(person, ("", 0))[0]
        there = self.draws.one_of([place for place in PLACES if place != here])
        self.place[person] = (there, len(self.sentences))
        self.sentences.append(f"{person} {self.draws.one_of(WALKS)} the {there}.")

    def take(self) -> bool:
        free = [thing for thing in THINGS if thing not in self.holder]
        able = [person for person in PEOPLE if person in self.place and len(self.carried(person)) < CARRIED]
        if not free or not able:
            return False
        person = self.draws.one_of(able)
        # What lies somewhere can be taken there alone; what nobody has touched yet may be anywhere.
        near = [thing for thing in free if self.left.get(thing, (self.place[person][0],))[0] == self.place[person][0]]
        if not near:
            return False
        thing = self.draws.one_of(near)
        self._note(person)
        self.holder[thing] = (person, len(self.sentences))
        self.left.pop(thing, None)
        self.sentences.append(f"{person} took the {thing}.")
        return True

    def drop(self) -> bool:
        able = [person for person in PEOPLE if self.carried(person)]
        if not able:
            return False
        person = self.draws.one_of(able)
        thing = self.draws.one_of(self.carried(person))
        self._note(person)
        del self.holder[thing]
        self.left[thing] = (self.place[person][0], len(self.sentences), self.place[person][1])
        self.sentences.append(f"{person} dropped the {thing}.")
        return True

    def give(self) -> bool:
        able = [person for person in PEOPLE if self.carried(person)]
        if not able:
            return False
        giver = self.draws.one_of(able)
        near = [
            person
            for person in PEOPLE
            if person != giver and person in self.place and len(self.carried(person)) < CARRIED
            and self.place[person][0] == self.place[giver][0]
        ]  # fmt: skip
        if not near:
            return False
        thing, receiver = self.draws.one_of(self.carried(giver)), self.draws.one_of(near)
        self._note(giver)
        self._note(receiver)
        self.holder[thing] = (receiver, len(self.sentences))
        self.gift = (giver, thing, receiver, len(self.sentences))
        self.sentences.append(f"{giver} gave the {thing} to {receiver}.")
        return True

    def gather(self) -> None:
        """Somebody comes to where somebody with something is, so that there can be gifts."""
        hosts = [person for person in PEOPLE if self.carried(person)]
        if not hosts:
            self.walk()
            return
        there = self.place[self.draws.one_of(hosts)][0]
        others = [person for person in PEOPLE if self.place.get(person, ("",))[0] != there]
        person = self.draws.one_of(others or PEOPLE)
        self.place[person] = (there, len(self.sentences))
        self.sentences.append(f"{person} {self.draws.one_of(WALKS)} the {there}.")

    def _note(self, person: str) -> None:
        self.touched[person].append(len(self.sentences))

    def live(self, steps: int, busy: bool) -> None:
        """`steps` sentences; busy ones are mostly about things."""
        while len(self.sentences) < steps:
            choice = self.draws.below(10)
            if not busy or choice < 3 or not self.sentences:
                self.gather() if busy and choice == 2 else self.walk()
            elif choice < 6:
                self.take() or self.walk()
            elif choice < 8:
                self.give() or self.gather()
            else:
                self.drop() or self.walk()


def question_stories(seed: int, part: str, task: str, count: int) -> list[Story]:
    """The first stories of one task; more of them begin with the same ones.

    Args:
        seed, part: int and str ("train", "validation", "test" or any other), which stories.
        task: one of `TASKS`.
        count: int.

    Returns:
        List of `Story`, of 2 to `SENTENCES` sentences, with the sentences that the answer follows from.

    Raises:
        ValueError: for an unknown task.

    Example:
        >>> story, = question_stories(0, "train", "one fact", 1)
        >>> story.question, story.answer in story.sentences[story.supports[0]]
        ('Where is Dora?', True)

    Source: S 9.5; after the kinds of questions of Weston et al. 2015.
    """
    require_one_of("question_stories", TASKS, task=task)
    require_positive_int("question_stories", count=count)
    return [_story(derive_seed(seed, "story", part, task, index), task) for index in range(count)]


def _story(key: int, task: str) -> Story:
    draws = _Draws(key)
    while True:
        house = _House(draws)
        house.live(2 + draws.below(SENTENCES - 1), busy=task not in ("one fact", "yes or no"))
        asked = _ASK[task](house, draws)
        if asked is not None:
            question, answer, supports = asked
            return Story(tuple(house.sentences), question, answer, tuple(sorted(set(supports))), task)


def _one_fact(house: _House, draws: _Draws) -> Any:
    person = draws.one_of(sorted(house.place))
    place, since = house.place[person]
    return f"Where is {person}?", place, (since,)


def _yes_or_no(house: _House, draws: _Draws) -> Any:
    person = draws.one_of(sorted(house.place))
    place, since = house.place[person]
    asked = place if draws.below(2) else draws.one_of([other for other in PLACES if other != place])
    return f"Is {person} in the {asked}?", "yes" if asked == place else "no", (since,)


def _two_facts(house: _House, draws: _Draws) -> Any:
    known = sorted([*house.holder, *house.left])
    if not known:
        return None
    thing = draws.one_of(known)
    if thing in house.left:
        place, dropped, came = house.left[thing]
        return f"Where is the {thing}?", place, (dropped, came)
    holder, since = house.holder[thing]
    place, came = house.place[holder]
    return f"Where is the {thing}?", place, (since, came)


def _three_arguments(house: _House, draws: _Draws) -> Any:
    if house.gift is None:
        return None
    giver, thing, receiver, since = house.gift
    question, answer = draws.one_of(
        (
            (f"Who gave the {thing} to {receiver}?", giver),
            (f"What did {giver} give to {receiver}?", thing),
            (f"Who received the {thing} from {giver}?", receiver),
        )
    )
    return question, answer, (since,)


def _asked_of(house: _House, draws: _Draws) -> str | None:
    """Somebody who has touched something."""
    busy = [person for person in PEOPLE if house.touched[person]]
    return draws.one_of(busy) if busy else None


def _counting(house: _House, draws: _Draws) -> Any:
    person = _asked_of(house, draws)
    if person is None:
        return None
    return f"How many things does {person} carry?", NUMBERS[len(house.carried(person))], house.touched[person]


def _listed(house: _House, draws: _Draws) -> Any:
    person = _asked_of(house, draws)
    if person is None:
        return None
    return f"What does {person} carry?", ",".join(house.carried(person)) or CARRIES_NOTHING, house.touched[person]


_ASK = dict(zip(TASKS, (_one_fact, _two_facts, _three_arguments, _yes_or_no, _counting, _listed), strict=True))


def question_tasks(seed: int, counts: tuple[int, int, int] = (1000, 100, 200)) -> Dataset:
    """All six tasks as a data set; `counts` stories a task to train on, to validate and to test.

    x int32 (N, SENTENCES + 1, WORDS) as `datasets.stories` says, y the place of the answer in `ANSWERS`.
    """
    parts = {}
    for part, count in zip(("train", "validation", "test"), counts, strict=True):
        stories = [story for task in TASKS for story in question_stories(seed, part, task, count)]
        order = np.random.Generator(np.random.Philox(derive_seed(seed, "order", part))).permutation(len(stories))
        parts[part] = Split(*encode_stories([stories[i] for i in order], VOCABULARY, ANSWERS, SENTENCES, WORDS))
    train = parts["train"]
    spec = Spec(
        "question-tasks", "classification", train.x.shape[1:], classes=len(ANSWERS), class_names=ANSWERS, seed=seed,
        sha256={"x": digest(train.x), "y": digest(train.y)},
    )  # fmt: skip
    return Dataset(spec=spec, **parts)
