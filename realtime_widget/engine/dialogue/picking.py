"""Choose the tool that what was said is about."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from realtime_widget.engine.dialogue.dates import MONTHS, WEEKDAYS
from realtime_widget.engine.dialogue.deeds import Meaning, Mood, family_of, is_deed
from realtime_widget.engine.dialogue.parameters import Parameter, parameters_of
from realtime_widget.engine.dialogue.words import (
    related,
    split_words,
    stem,
    stems,
    word_list,
)

_NAME_WEIGHT: Final = 3.0
_DESCRIPTION_WEIGHT: Final = 1.2
_PARAMETER_WEIGHT: Final = 0.8
_KIND_WEIGHT: Final = 0.4
# One word of the name, or two of the description, that no other tool shares.
_ENOUGH: Final = 1.5
# A name that ends so asks how something is: order_status orders nothing.
_CALENDAR: Final = {stem(word) for word in (*WEEKDAYS, *MONTHS, "tomorrow", "today")}
_STATES: Final = {
    stem(word)
    for word in word_list("""status hours times info information list details history
    balance fees price prices policy results""")
}
_GERUND: Final = re.compile(r"[A-Za-z]+ing(?![a-z])")
_UNSAID_ACT: Final = 0.35
_SAME_FAMILY: Final = 0.5
_FREE_KINDS: Final = frozenset({"text", "name", "place"})


@dataclass(frozen=True, slots=True)
class Tool:
    """A function tool with the words it is known by.

    Attributes:
        name: As the model calls it.
        description: As the site wrote it.
        parameters: What it takes.
        name_words: Stems of its name.
        weights: Stem -> how much it speaks for this tool.
        acts: Stem of the verb in its name when it changes something, else "".
        family: Family of that deed, "" when it changes nothing.
        nouns: Stems of its name without the verb.
    """

    name: str
    description: str
    parameters: tuple[Parameter, ...]
    name_words: frozenset[str]
    weights: Mapping[str, float]
    acts: str
    family: str
    nouns: frozenset[str]

    def mood(self, meaning: Meaning) -> Mood:
        """Return whether this tool's deed is asked for."""
        if self.family in meaning.deeds:
            return meaning.deeds[self.family]
        # "Refill my aspirin" of request_refill: its noun is the verb.
        return "asked" if meaning.head in self.nouns else "maybe"

    def required(self) -> list[Parameter]:
        """Return the parameters that a call is no use without."""
        return [parameter for parameter in self.parameters if parameter.required]


def read_tools(declared: Sequence[Mapping[str, Any]]) -> list[Tool]:
    """Return the function tools among the session's tools."""
    tools = [
        _read(tool)
        for tool in declared
        if tool.get("type", "function") == "function" and tool.get("name")
    ]
    return [replace(tool, weights=_with_kinds(tool, tools)) for tool in tools]


def _with_kinds(tool: Tool, tools: Sequence[Tool]) -> Mapping[str, float]:
    """Return a tool's words with the kinds of its thing that other tools tell.

    Who booked a tune-up says "cancel my tune-up", and only booking lists the services.
    """
    weights = dict(tool.weights)
    for other in tools:
        if tool.family and other.family and tool.nouns & other.nouns:
            for parameter in other.parameters:
                for option in parameter.options:
                    for word in stems(str(option)):
                        weights.setdefault(word, _KIND_WEIGHT)
    return weights


def pick(
    tools: Sequence[Tool], meaning: Meaning, *, at_least: float = _ENOUGH
) -> Tool | None:
    """Return the tool that fits best, None when none fits well enough.

    Args:
        tools: What there is to choose from.
        meaning: What was said.
        at_least: Score below which a tool is only guessed.
    """
    if not tools:
        return None
    shared = _shared(tools)
    scored = [(score(tool, meaning, shared), -at) for at, tool in enumerate(tools)]
    best, place = max(scored)
    return tools[-place] if best >= at_least else None


def score(tool: Tool, meaning: Meaning, shared: Mapping[str, int]) -> float:
    """Return how well the words said fit a tool.

    A word that many tools are known by says little about each of them.
    """
    meant = related(meaning.said)
    worths = {**meant, **dict.fromkeys(meaning.said, 1.0)}
    if tool.family and tool.family in meaning.deeds:
        worths.setdefault(tool.acts, _SAME_FAMILY)
    if _is_about_another_thing(tool, meaning):
        own = related([meaning.head]).keys() - related(meaning.said - {meaning.head})
        worths = {w: v for w, v in worths.items() if w not in {meaning.head, *own}}
    total = sum(
        worths[word] * tool.weights[word] / math.sqrt(shared[word])
        for word in sorted(worths.keys() & tool.weights.keys())
    )
    if tool.acts and not _names_deed(tool, meaning, worths.keys()):
        total *= _UNSAID_ACT
    return total


def _names_deed(tool: Tool, meaning: Meaning, words: Iterable[str]) -> bool:
    """Return whether the deed was named and something it is done to."""
    if tool.family not in meaning.deeds and meaning.head not in tool.nouns:
        return False
    matters = {
        word for word in words if not is_deed(word) or word in tool.nouns
    } & tool.weights.keys()
    return bool(matters) or not tool.nouns


def _is_about_another_thing(tool: Tool, meaning: Meaning) -> bool:
    """Return whether a command names a thing that this tool does not know.

    "Open the window" is not about when the shop is open.
    """
    heads = {meaning.head, *related([meaning.head])}
    if not meaning.thing or not heads & tool.weights.keys():
        return False
    known = meaning.thing | related(meaning.thing).keys()
    free = any(p.required and p.kind in _FREE_KINDS for p in tool.parameters)
    return not (known & tool.weights.keys()) and not free


def _read(declared: Mapping[str, Any]) -> Tool:
    name = str(declared["name"])
    description = str(declared.get("description") or "")
    parameters = tuple(parameters_of(declared))
    name_words = [stem(word) for word in split_words(name)]
    weights: dict[str, float] = {}
    _weigh(weights, stems(" ".join(split_words(name))), _NAME_WEIGHT)
    _weigh(weights, stems(description), _DESCRIPTION_WEIGHT)
    for parameter in parameters:
        options = " ".join(str(option) for option in parameter.options)
        described = f"{parameter.words} {parameter.description} {options}"
        _weigh(weights, stems(described), _PARAMETER_WEIGHT)
    acts = _act(name, name_words)
    return Tool(
        name=name,
        description=description,
        parameters=parameters,
        name_words=frozenset(name_words),
        weights=weights,
        acts=acts,
        family=family_of(acts),
        nouns=frozenset(name_words) - {acts},
    )


def _act(name: str, name_words: Sequence[str]) -> str:
    """Return the stem of the deed that a tool's name orders, "" when it orders none."""
    if not name_words or not is_deed(name_words[0]):
        return ""
    told = len(name_words) > 1 and name_words[-1] in _STATES
    # "Opening hours" in any language, or "shipping_zones": the name of a thing.
    return "" if told or _GERUND.match(name) else name_words[0]


def _weigh(weights: dict[str, float], words: Iterable[str], weight: float) -> None:
    for word in words:
        if word in _CALENDAR:
            continue  # an example of a day, which is said about anything
        weights[word] = max(weights.get(word, 0.0), weight)


def _shared(tools: Sequence[Tool]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for tool in tools:
        for word in tool.weights:
            counts[word] = counts.get(word, 0) + 1
    return counts
