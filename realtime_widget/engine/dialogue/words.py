"""Words of what was said: cut, stemmed, and marked when they have been used."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

_WORD = re.compile(
    r"\d+(?:[.,:]\d+)*(?:st|nd|rd|th)?\b|[^\W\d_]+(?:['’][^\W\d_]+)*|\d+"
)


def word_list(text: str) -> list[str]:
    """Return the words of a table written as a text."""
    return text.split()


STOPWORDS: Final = frozenset(
    word_list("""a an the i me my mine you your yours we us our it its is am are was were be been
    do does did can could will would shall should may might must have has had to of in on
    at for from with by and or but not no so if then than that this these those there
    here what which who how please tell give want like need let get got know say said
    about any some just also now hello hi hey ok okay yes thanks thank i'd i'm i'll i've
    it's what's that's let's don't can't you're we're up out all one ones
    into as more much many really actually maybe well um uh""")
)

# What people say -> words that tools are named with. Said words stay, these are added.
RELATED: Final[dict[str, tuple[str, ...]]] = {
    "package": ("order", "delivery", "shipment"),
    "parcel": ("order", "delivery", "shipment"),
    "delivery": ("order",),
    "arrive": ("order", "status", "delivery"),
    "deliver": ("order", "status", "delivery"),
    "ship": ("order", "status", "delivery"),
    "track": ("status", "order"),
    "ready": ("status", "order"),
    "purchase": ("order",),
    "schedule": ("appointment",),
    "reserve": ("appointment",),
    "reservation": ("appointment",),
    "visit": ("appointment",),
    "appointment": ("visit",),
    "search": ("find",),
    "see": ("visit", "appointment"),
    "booking": ("appointment", "reservation"),
    "slot": ("appointment",),
    "owe": ("fee", "balance"),
    "telephone": ("phone",),
    "close": ("open", "hour"),
    "shut": ("open", "hour"),
    "open": ("hour",),
    "cost": ("price",),
    "rain": ("weather",),
    "sunny": ("weather",),
    "temperature": ("weather",),
    "forecast": ("weather",),
    "warm": ("weather",),
    "cold": ("weather",),
}


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """Return a word without its commonest English endings."""
    word = word.lower().replace("’", "'").removesuffix("'s")
    for ending, replacement in (
        ("ations", ""),
        ("ation", ""),
        ("ies", "y"),
        ("ings", ""),
        ("ing", ""),
        ("ed", ""),
        ("es", ""),
        ("s", ""),
    ):
        if ending in {"s", "es"} and word.endswith(("ss", "us", "is")):
            continue
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word.removesuffix(ending) + replacement
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeious":
        word = word[:-1]
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


# The same for words that are in many other questions too.
HINTS: Final[dict[str, tuple[str, ...]]] = {
    "where": ("status", "track", "location"),
    "when": ("hour", "time"),
}
_RELATED_WORTH: Final = 0.5
_HINT_WORTH: Final = 0.3
_MEANT: Final = {
    stem(said): {stem(word): worth for word in named}
    for table, worth in ((HINTS, _HINT_WORTH), (RELATED, _RELATED_WORTH))
    for said, named in table.items()
}


_ENDINGS: Final = {"d": "would", "ll": "will", "ve": "have", "re": "are", "m": "am"}
_SHORT: Final = {
    "can't": ["can", "not"],
    "cannot": ["can", "not"],
    "won't": ["will", "not"],
    "shan't": ["shall", "not"],
    **{
        f"{verb}nt": [verb, "not"]
        for verb in word_list("do did does is was have has had could would should")
    },
    "cant": ["can", "not"],
    "wont": ["will", "not"],
    **{
        f"{word}'s": [word, "is"]
        for word in word_list("what where when who how it that there here")
    },
}


def split_words(text: str) -> list[str]:
    """Return the words of a name or a text; ``orderNumber`` and ``order_number`` are two."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text).replace("_", " ")
    return _WORD.findall(spaced)


def stems(text: str) -> set[str]:
    """Return the stems of a text's words that carry meaning."""
    return {
        stem(word)
        for word in split_words(text)
        if word.lower().replace("’", "'") not in STOPWORDS and not word[0].isdigit()
    }


def related(said: Iterable[str]) -> dict[str, float]:
    """Return what tools may be named with for these stems, and how sure that is."""
    meant: dict[str, float] = {}
    for one in said:
        for word, worth in _MEANT.get(one, {}).items():
            meant[word] = max(meant.get(word, 0.0), worth)
    return meant


def spoken_words(text: str) -> list[str]:
    """Return the words in lower case, "don't" as the two words it is short for."""
    words: list[str] = []
    for found in _WORD.findall(text):
        low = found.lower().replace("’", "'")
        words += _SHORT.get(low) or _in_full(low)
    return words


def _in_full(word: str) -> list[str]:
    if word.endswith("n't"):
        return [word.removesuffix("n't"), "not"]
    begin, apostrophe, end = word.rpartition("'")
    return [begin, _ENDINGS[end]] if apostrophe and end in _ENDINGS else [word]


@dataclass(frozen=True, slots=True)
class Word:
    """One word and where it stands.

    Attributes:
        text: As written.
        low: In lower case, with straight apostrophes.
        start: Index of its first character.
        end: Index behind its last character.
    """

    text: str
    low: str
    start: int
    end: int


@dataclass(slots=True)
class Said:
    """One thing said, with the words that already mean something marked.

    Attributes:
        text: As written or heard.
        words: Its words.
        used: Indexes of words that an argument was made from.
    """

    text: str
    words: list[Word] = field(init=False)
    used: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Cut the text into words."""
        self.words = [
            Word(m[0], m[0].lower().replace("’", "'"), m.start(), m.end())
            for m in _WORD.finditer(self.text)
        ]

    def lows(self) -> list[str]:
        """Return all words in lower case."""
        return [word.low for word in self.words]

    def free(self, start: int, end: int) -> bool:
        """Return whether the words from ``start`` to before ``end`` are unused."""
        return not any(index in self.used for index in range(start, end))

    def use(self, start: int, end: int) -> None:
        """Mark the words from ``start`` to before ``end``."""
        self.used.update(range(start, end))

    def slice(self, start: int, end: int) -> str:
        """Return the text from word ``start`` to before word ``end``, as written."""
        return self.text[self.words[start].start : self.words[end - 1].end]

    def unused(self) -> str:
        """Return the words that no argument was made from."""
        return " ".join(
            word.text for at, word in enumerate(self.words) if at not in self.used
        )
