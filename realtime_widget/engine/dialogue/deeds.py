"""The deeds an utterance names, and whether each is asked for.

A tool that changes something must not run because its words occur: "don't cancel it",
"how do I cancel it" and "have you cancelled it" name the deed, and ask for none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from realtime_widget.engine.dialogue.numbers import small_number
from realtime_widget.engine.dialogue.words import spoken_words, stem, stems, word_list

Mood = Literal["asked", "may", "maybe", "how", "negated", "whether", "told"]

# Deeds that people name with each other's words; the first word names the family.
_FAMILIES: Final = (
    word_list(
        """book reserve schedule create make arrange request order add register submit
        enrol subscribe buy place hire rent hold open ask"""
    ),
    word_list("cancel delete remove drop scrap withdraw revoke unsubscribe"),
    word_list("change update move reschedule edit modify set switch amend"),
    word_list("renew extend prolong"),
)
_SINGLE: Final = word_list(
    """close pay refund return send transfer sign confirm approve reject assign lock
    unlock block enable disable activate upgrade borrow donate apply"""
)
_FAMILY_OF: Final = {
    stem(word): family[0]
    for family in (*_FAMILIES, *([word] for word in _SINGLE))
    for word in family
}
DEED_WORDS: Final = frozenset(_FAMILY_OF)
GET: Final = "book"
UNDO: Final = "cancel"
# Verb and particle, up to four words apart.
_PHRASAL: Final = {
    ("set", "up"): GET,
    ("put", "down"): GET,
    ("put", "in"): GET,
    ("sign", "up"): GET,
    ("fit", "in"): GET,
    ("squeeze", "in"): GET,
    ("call", "off"): UNDO,
    ("take", "off"): UNDO,
    ("get", "rid"): UNDO,
    ("ask", "for"): GET,
}
# Asked for before anything else is taken for it.
_MOODS: Final[tuple[Mood, ...]] = (
    "asked", "negated", "how", "whether", "may", "maybe", "told",
)  # fmt: skip
_BEFORE_NOUNS: Final = frozenset(
    word_list("""a an the my your his her our their this that these those good new old
    any some no every of about in for""")
)
_IRREGULAR: Final = {"made": "make", "sent": "send", "paid": "pay", "bought": "buy",
                     "held": "hold"}  # fmt: skip
# "Open" and "ask" are deeds only of those who name a thing; alone they are talk.
_WEAK: Final = frozenset({"open", "ask"})
# What may stand between "not" and the deed it denies.
_PASSED_BY: Final = frozenset(
    word_list("""please just really actually even to asked told want like need wish have has had be
    been being going go ever you me us i we ask try tell my the yet already""")
)
_WANTING: Final = frozenset(word_list("want need needs like love prefer get please"))
_DOUBT: Final = frozenset(
    word_list("""might maybe perhaps thinking considering unsure possibly probably
    should""")
)
_POLITE: Final = re.compile(
    r"\b(?:can|could|would|will|do) not (?:you|we)\b|\bwhy not\b|"
    r"(?<!how )\b(?:can|could|would|will) you\b|\b(?:if )?you (?:can|could|would)\b"
)
_HOW: Final = re.compile(
    r"\bhow (?!about\b)|\bwhat (?:do|must|should|happens|would|will|if|is)\b|"
    r"^(?:so |and |but )?(?:where|when|why|who|which|should|must|do(?! not\b)|does|is there|"
    r"am i|if(?! so\b| possible\b| you\b))\b|\bpossible\b|\bway to\b|\bable to\b|\bwhat happens\b"
)
_PERMISSION: Final = re.compile(r"\b(?:can|could|may) (?:i|we)\b")
_UNDECIDED: Final = re.compile(r"\bmay have\b|\bnot sure\b|\bnot know (?:if|whether)\b")
# "My wife will cancel it", "are you going to cancel it?", "could it be cancelled?"
_OF_OTHERS: Final = re.compile(r"(?<!\bi)(?<!\bwe)(?<!\byou)(?<!^) will$")
_INTENDED: Final = re.compile(
    r"\b(?:are|were) (?:you|they|we) (?:going|about|planning) to$"
)
_PASSIVE_REQUEST: Final = re.compile(r"^(?:please )?(?:can|could|may)\b.* be$")
_DONE_QUESTION: Final = re.compile(
    r"^(?:so |and |but |um )?(?:have|has|had|did|is|was|were|are|who|why|when)\b"
)
_UNNEEDED: Final = re.compile(
    r"\b(?:(?:do|will) not|no longer) (?:need|want) (?!to\b|you\b|any(?:thing)?\b)"
    r"(?!.*(?:ed|made)$)"
)
_UNABLE: Final = re.compile(
    r"\b(?:i|we) (?:\w+ )?(?:not|no longer|unable to)(?: going to| be able to| able to)* "
    r"(?:make|come|attend|be there|get there)\b"
)
_WANTED: Final = re.compile(
    r"\b(?:needs?|want|(?:would|i) (?:like|love)|looking for|bring|come in|got an?|"
    r"(?:can|could|may) i (?:have|get)|get me|get an?|let me have|to see|^see)\b|^see\b"
)
_HOW_TO_HAVE: Final = re.compile(
    r"\b(?:how|when) (?:can|do|could|would) (?:i|we) (?:see|get|have)\b"
)
_AVAILABLE: Final = re.compile(
    r"^(?:\w+ )?(?:do|is|are|have|any|got)\b.*\b(?:time|slots?|free|space|available|"
    r"availability|openings?|places?|anything)\b"
)
_NO_TELLING: Final = re.compile(
    r"\bnot (?:please )?(?:look|check|tell|show|find|track|search|give|read|bother|care|"
    r"(?:want|need) to (?:know|hear|see))\b"
)
_HEAD: Final = re.compile(
    r"^(?:(?:um|uh|hi|hello|hey|please|so|well|ok|okay|and|then|also|just|now|yes|oh|but)"
    r" )*(?:(?:can|could|would|will) you |i (?:want|need|have|would like|would love)"
    r"(?: you)? to |let me |go ahead and )?(?:(?:please|just|kindly) )*(\w+)"
)
_OBJECT: Final = re.compile(
    r"(?:me |us |is |are |was |does |do |did |will |has )?(?:a|an|the|my|your|his|her|some|this) (.*)"
)
_PREPOSITIONS: Final = re.compile(r"\b(?:on|at|for|in|to|from|of|with|by|please)\b")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an utterance says, as far as picking a tool needs it.

    Attributes:
        said: Stems of its words.
        deeds: Family of a deed -> whether it is asked for.
        head: Stem of the verb of a command, "" when it is none.
        thing: Stems of what a command is to be done to; None when no thing is named.
        unasked: Whether it asks not to be told something.
    """

    said: frozenset[str]
    deeds: Mapping[str, Mood]
    head: str = ""
    thing: frozenset[str] | None = None
    unasked: bool = False


def family_of(verb: str) -> str:
    """Return the family of a deed by its verb's stem, "" when it is none."""
    return _FAMILY_OF.get(verb, "")


def is_deed(word: str) -> bool:
    """Return whether a stem names a deed."""
    return word in _FAMILY_OF


def meaning_of(text: str) -> Meaning:
    """Return what an utterance, or a clause of one, says."""
    words = spoken_words(text)
    plain = " ".join(words)
    deeds: dict[str, Mood] = {}
    for at in range(len(words)):
        family = _deed_at(words, at)
        if family:
            mood = _mood(words, at)
            deeds[family] = min(deeds.get(family, mood), mood, key=_MOODS.index)
    _add_implied(plain, deeds)
    head, thing = _command(plain)
    return Meaning(
        said=frozenset(stems(text)),
        deeds=deeds,
        head=head,
        thing=thing,
        unasked=_NO_TELLING.search(plain) is not None,
    )


def _deed_at(words: Sequence[str], at: int) -> str:
    """Return the family of the deed that a word names, "" for none."""
    word = words[at]
    for (verb, particle), family in _PHRASAL.items():
        if word == verb and particle in words[at + 1 : at + 6]:
            return family
    before = words[at - 1] if at else ""
    family = family_of(stem(_IRREGULAR.get(word, word)))
    if word in _WEAK or not family:
        return ""
    participle = _is_participle(word)
    noun = before in _BEFORE_NOUNS and not participle
    if _is_long_number(words[at + 1 : at + 3]):
        return ""  # "has order ten forty two come" names a thing
    if noun and not (word.endswith("ing") and before in {"of", "about"}):
        return ""
    return family


def _is_long_number(words: Sequence[str]) -> bool:
    """Return whether these are the beginning of an order number or its like."""
    if words and words[0].isdecimal():
        return len(words[0]) > 2
    return len(words) > 1 and all(small_number(word) is not None for word in words)


def _is_participle(word: str) -> bool:
    return word.endswith("ed") or word in _IRREGULAR


def _mood(words: Sequence[str], at: int) -> Mood:
    left = list(words[:at])
    plain = " ".join(left)
    polite = _POLITE.search(plain) is not None
    if _denied(_POLITE.sub(" ", plain).split()):
        return "negated"
    if _OF_OTHERS.search(plain):
        return "told"
    if _INTENDED.search(plain):
        return "whether"
    if _is_participle(words[at]) or "did" in left:
        wanted = bool(_WANTING & set(left)) and "did" not in left
        if _PASSIVE_REQUEST.search(plain):
            return "may"
        if not wanted:
            return "whether" if _DONE_QUESTION.search(plain) else "told"
        return "negated" if "not" in left and not polite else "asked"
    if polite:
        return "maybe" if _DOUBT & set(left) else "asked"
    if _UNDECIDED.search(plain):
        return "maybe"
    if _HOW.search(plain):
        return "how"
    if _DOUBT & set(left):
        return "maybe"
    return "may" if _PERMISSION.search(plain) else "asked"


def _denied(left: Sequence[str]) -> bool:
    """Return whether the words before a deed deny it."""
    for at in range(len(left) - 1, -1, -1):
        word = left[at]
        if word in {"not", "never", "without", "nobody"}:
            return True
        if word == "no":
            return left[at + 1 : at + 2] in (["need"], ["reason"])
        if word not in _PASSED_BY:
            return False
    return False


def _add_implied(plain: str, deeds: dict[str, Mood]) -> None:
    """Add the deeds that go without saying.

    Who needs an appointment wants to book one, and who does not need it wants it
    cancelled. Who cannot come may want that, and who asks for a free place may want it.
    """
    if _UNNEEDED.search(plain):
        deeds.setdefault(UNDO, "asked")
    elif _UNABLE.search(plain):
        deeds.pop(GET, None)  # "make it" is no making
        deeds.setdefault(UNDO, "maybe")
    elif not deeds and _AVAILABLE.search(plain):
        deeds[GET] = "maybe"
    elif not deeds and _HOW_TO_HAVE.search(plain):
        deeds[GET] = "how"
    elif not deeds and _WANTED.search(plain):
        deeds[GET] = "negated" if re.search(r"\b(?:not|never)\b", plain) else "asked"


def _command(plain: str) -> tuple[str, frozenset[str] | None]:
    match = _HEAD.match(plain)
    if match is None:
        return "", None
    rest = plain[match.end() :].strip()
    found = _OBJECT.match(rest)
    if found is None:
        return stem(match[1]), None
    named = _PREPOSITIONS.split(found[1], maxsplit=1)[0]
    if {"one", "ones"} & set(named.split()):
        return stem(match[1]), None
    return stem(match[1]), frozenset(stems(named))
