"""English sentences with their French, made by a small grammar in which nearly everything must agree.

    sentence = clause (conjunction clause)*,   clause = subject verb (object) (place),   at most `clauses` of them

French wants of a translator what English does not say: gender (le, la), number on every word (les grands chiens), the
form before a vowel (l'ami, un bel arbre, cet enfant, mon île), adjectives before or after their noun, the person of the
verb, negation around it (n'aime pas, and de in the place of un), contraction (près du jardin) and elision of
conjunctions (parce qu'elle, s'il). Sentences are made up, not said by anybody: label results on them as generated.

Only raw bits of Philox are used, so the same seed gives the same sentences on every machine.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import require_positive_int

__all__ = ["Pair", "generated_pair", "generated_pairs"]


class Pair(NamedTuple):
    """A sentence and its translation."""

    source: str
    target: str


# English singular and plural, French singular and plural, gender; who can do something comes first.
PERSONS = """
boy boys garçon garçons m|girl girls fille filles f|friend friends ami amis m|child children enfant enfants m
teacher teachers professeur professeurs m|neighbour neighbours voisin voisins m|cat cats chat chats m
dog dogs chien chiens m|horse horses cheval chevaux m|bird birds oiseau oiseaux m|mouse mice souris souris f
cow cows vache vaches f|queen queens reine reines f|aunt aunts tante tantes f
"""
THINGS = """
car cars voiture voitures f|house houses maison maisons f|tree trees arbre arbres m|apple apples pomme pommes f
flower flowers fleur fleurs f|book books livre livres m|letter letters lettre lettres f|boat boats bateau bateaux m
picture pictures image images f|bag bags sac sacs m|key keys clé clés f|hat hats chapeau chapeaux m
"""
PLACES = """
garden gardens jardin jardins m|church churches église églises f|school schools école écoles f
bridge bridges pont ponts m|island islands île îles f|river rivers rivière rivières f
village villages village villages m|hotel hotels hôtel hôtels m
"""
# English; French masculine, masculine before a vowel, feminine, both plurals; where it stands.
ADJECTIVES = """
big grand grand grande grands grandes before|small petit petit petite petits petites before
beautiful beau bel belle beaux belles before|old vieux vieil vieille vieux vieilles before
new nouveau nouvel nouvelle nouveaux nouvelles before|young jeune jeune jeune jeunes jeunes before
red rouge rouge rouge rouges rouges after|green vert vert verte verts vertes after
white blanc blanc blanche blancs blanches after|black noir noir noire noirs noires after
strange étrange étrange étrange étranges étranges after|famous célèbre célèbre célèbre célèbres célèbres after
"""
# English base and third person, _ for a space; French with je, il, nous, vous, ils.
TRANSITIVE = """
see sees vois voit voyons voyez voient|love loves aime aime aimons aimez aiment
look_for looks_for cherche cherche cherchons cherchez cherchent|find finds trouve trouve trouvons trouvez trouvent
listen_to listens_to écoute écoute écoutons écoutez écoutent|draw draws dessine dessine dessinons dessinez dessinent
hear hears entends entend entendons entendez entendent|follow follows suis suit suivons suivez suivent
know knows connais connaît connaissons connaissez connaissent|watch watches regarde regarde regardons regardez regardent
wait_for waits_for attends attend attendons attendez attendent
choose chooses choisis choisit choisissons choisissez choisissent
admire admires admire admire admirons admirez admirent|forget forgets oublie oublie oublions oubliez oublient
"""
INTRANSITIVE = """
sleep sleeps dors dort dormons dormez dorment|sing sings chante chante chantons chantez chantent
laugh laughs ris rit rions riez rient|work works travaille travaille travaillons travaillez travaillent
arrive arrives arrive arrive arrivons arrivez arrivent|run runs cours court courons courez courent
fall falls tombe tombe tombons tombez tombent|wait waits attends attend attendons attendez attendent
"""
PRONOUNS = (
    ("I", "je", 0), ("he", "il", 1), ("she", "elle", 1), ("we", "nous", 2), ("you", "vous", 3), ("they", "ils", 4),
)  # fmt: skip
CONJUNCTIONS = (
    ("and", "et"), ("but", "mais"), ("because", "parce que"), ("when", "quand"), ("while", "pendant que"), ("if", "si"),
)  # fmt: skip
PREPOSITIONS = (("in", "dans"), ("near", "près de"), ("behind", "derrière"), ("in front of", "devant"))
# English singular and plural; French masculine, feminine, before a vowel (both), plural.
DETERMINERS = (
    ("the", "the", "le", "la", ("l'", "l'"), "les"), ("a", "", "un", "une", ("un", "une"), "des"),
    ("this", "these", "ce", "cette", ("cet", "cette"), "ces"), ("my", "my", "mon", "ma", ("mon", "mon"), "mes"),
    ("our", "our", "notre", "notre", ("notre", "notre"), "nos"),
)  # fmt: skip
COLOURS, PEOPLE = "red green white black".split(), "boy girl friend child teacher neighbour queen aunt".split()
VOWELS = "aeiouyâàéèêëîïôûœh"  # every h of this lexicon is mute


def _table(text: str) -> list[list[str]]:
    return [row.split() for line in text.split("\n") for row in line.split("|") if row.strip()]


LEXICON = {
    "person": _table(PERSONS), "thing": _table(THINGS), "place": _table(PLACES), "adjective": _table(ADJECTIVES),
    "transitive": _table(TRANSITIVE), "intransitive": _table(INTRANSITIVE),
}  # fmt: skip


class _Draws:
    """Choices of one sentence, from raw bits."""

    def __init__(self, seed: int, index: int) -> None:
        self.bits = iter(np.random.Philox(key=derive_seed(seed, "agreement grammar", index)).random_raw(128).tolist())

    def below(self, count: int) -> int:
        return (next(self.bits) >> 32) * count >> 32

    def of(self, choices: Any) -> Any:
        return choices[self.below(len(choices))]

    def chance(self, percent: int) -> bool:
        return self.below(100) < percent


def generated_pair(seed: int, index: int, clauses: int = 3) -> Pair:
    """One sentence, a pure function of its arguments.

    Args:
        seed, index: ints, which sentence.
        clauses: int, clauses at most; each number up to it is as likely.

    Returns:
        `Pair` of English and French, both with a capital and a full stop.

    Raises:
        ValueError: for clauses below 1 or above 4.

    Example:
        >>> generated_pair(0, 4, clauses=1)
        Pair(source='He does not laugh in front of the river.', target='Il ne rit pas devant la rivière.')
    """
    require_positive_int("generated_pair", clauses=clauses)
    if clauses > 4:
        raise ValueError(f"generated_pair makes at most 4 clauses. Received: clauses={clauses}")
    draws = _Draws(seed, index)
    english, french = _clause(draws)
    for _ in range(draws.below(clauses)):
        conjunction, its_french = draws.of(CONJUNCTIONS)
        more_english, more_french = _clause(draws)
        english += f" {conjunction} {more_english}"
        french += f" {_before(its_french, more_french)}"
    return Pair(english[0].upper() + english[1:] + ".", french[0].upper() + french[1:] + ".")


def generated_pairs(count: int, seed: int = 0, clauses: int = 3) -> list[Pair]:
    """The first `count` different sentences of a seed; more of them begin with the same ones.

    Args:
        count: int.
        seed, clauses: as `generated_pair`.

    Returns:
        List of `Pair`, no English sentence twice.

    Raises:
        ValueError: as `generated_pair`, and if so many different ones are not found.

    Example:
        >>> len({pair.source for pair in generated_pairs(50)})
        50
    """
    require_positive_int("generated_pairs", count=count)
    found: dict[str, Pair] = {}
    for index in range(50 * count + 1000):
        pair = generated_pair(seed, index, clauses)
        found.setdefault(pair.source, pair)
        if len(found) == count:
            return list(found.values())
    raise ValueError(f"generated_pairs finds {len(found)} different sentences of {clauses} clauses. Received: {count=}")


def _clause(draws: _Draws) -> tuple[str, str]:
    negated = draws.chance(25)
    if draws.chance(40):
        subject, its_french, person = draws.of(PRONOUNS)
        plural = person >= 2 or subject == "I"  # of the English verb: I see, he sees
    else:
        plural = draws.chance(40)
        subject, its_french = _noun_phrase(draws, draws.of(LEXICON["person"]), plural, 35)
        person = 4 if plural else 1
    kind = "transitive" if draws.chance(65) else "intransitive"
    base, third, *forms = (form.replace("_", " ") for form in draws.of(LEXICON[kind]))
    verb = forms[person]
    if negated:
        english = f"{subject} {'do' if plural else 'does'} not {base}"
        french = f"{_before('ne', verb)} pas"
    else:
        english = f"{subject} {base if plural else third}"
        french = verb
    french = f"{_before(its_french, french)}" if its_french == "je" else f"{its_french} {french}"
    if kind == "transitive":
        noun = draws.of(LEXICON["thing"] if draws.chance(60) else LEXICON["person"])
        thing, its_french = _noun_phrase(draws, noun, draws.chance(40), 35, negated)
        english, french = f"{english} {thing}", f"{french} {its_french}"
    if kind == "intransitive" or draws.chance(15):
        preposition, its_french = draws.of(PREPOSITIONS)
        place, french_place = _noun_phrase(draws, draws.of(LEXICON["place"]), False, 20, definite=True)
        english, french = f"{english} {preposition} {place}", f"{french} {_with_de(its_french, french_place)}"
    return english, french


def _noun_phrase(
    draws: _Draws, noun: list[str], plural: bool, adjectives: int, negated: bool = False, definite: bool = False
) -> tuple[str, str]:
    """Determiner, perhaps an adjective, noun; in both languages."""
    singular, plural_form, french, french_plural, gender = noun
    determiner = DETERMINERS[0] if definite else draws.of(DETERMINERS)
    english = [plural_form if plural else singular]
    words = [french_plural if plural else french]
    stands_before = False
    if draws.chance(adjectives):
        fitting = [row for row in LEXICON["adjective"] if row[0] not in COLOURS or singular not in PEOPLE]
        name, masculine, vowel, feminine, plural_m, plural_f, place = draws.of(fitting)
        stands_before = place == "before"
        if plural:
            form = plural_m if gender == "m" else plural_f
        elif gender == "m":
            form = vowel if stands_before and french[0] in VOWELS else masculine
        else:
            form = feminine
        english.insert(0, name)
        words.insert(0 if stands_before else 1, form)
    one, many, masculine, feminine, before_vowel, of_many = determiner
    indefinite = one == "a"
    if indefinite and (negated or (plural and stands_before)):
        return " ".join(_english_determiner(one, many, plural, english)), _before("de", " ".join(words))
    if plural:
        its_french = of_many
    elif words[0][0] in VOWELS:
        its_french = before_vowel[gender == "f"]
    else:
        its_french = masculine if gender == "m" else feminine
    glue = "" if its_french.endswith("'") else " "
    return " ".join(_english_determiner(one, many, plural, english)), its_french + glue + " ".join(words)


def _english_determiner(one: str, many: str, plural: bool, words: list[str]) -> list[str]:
    determiner = many if plural else one
    if determiner == "a" and words[0][0] in "aeiou":
        determiner = "an"
    return [determiner, *words] if determiner else words


def _before(word: str, following: str) -> str:
    """A word and what follows it, its vowel elided where French does so."""
    vowel = following[0] in VOWELS
    if word == "si":
        return f"s'{following}" if following.split()[0] in ("il", "ils") else f"si {following}"
    if vowel and (word in ("je", "ne", "de") or word.endswith("que")):
        return f"{word[:-1]}'{following}"
    return f"{word} {following}"


def _with_de(preposition: str, phrase: str) -> str:
    """A preposition before a phrase; de le becomes du."""
    if preposition.endswith(" de") and phrase.startswith("le "):
        return f"{preposition[:-3]} du {phrase[3:]}"
    return f"{preposition} {phrase}"
