"""Choose the tool that what was said is about."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

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
# One word of the name, or two of the description, that no other tool shares.
_ENOUGH: Final = 1.5
# A tool that changes something is only for those who say so.
DEEDS: Final = {
    stem(word)
    for word in word_list("""book cancel create delete remove close change update reschedule buy
    pay order refund send transfer add set place submit sign register subscribe""")
}
_UNSAID_ACT: Final = 0.35


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
    """

    name: str
    description: str
    parameters: tuple[Parameter, ...]
    name_words: frozenset[str]
    weights: Mapping[str, float]
    acts: str


def read_tools(declared: Sequence[Mapping[str, Any]]) -> list[Tool]:
    """Return the function tools among the session's tools."""
    return [
        _read(tool)
        for tool in declared
        if tool.get("type", "function") == "function" and tool.get("name")
    ]


def pick(
    tools: Sequence[Tool], said: set[str], *, at_least: float = _ENOUGH
) -> Tool | None:
    """Return the tool that fits best, None when none fits well enough.

    Args:
        tools: What there is to choose from.
        said: Stems of what was said.
        at_least: Score below which a tool is only guessed.
    """
    if not tools:
        return None
    shared = _shared(tools)
    scored = [(score(tool, said, shared), -at) for at, tool in enumerate(tools)]
    best, place = max(scored)
    return tools[-place] if best >= at_least else None


def score(tool: Tool, said: set[str], shared: Mapping[str, int]) -> float:
    """Return how well the words said fit a tool.

    A word that many tools are known by says little about each of them.
    """
    meant = related(said)
    worths = {**meant, **dict.fromkeys(said, 1.0)}
    total = sum(
        worths[word] * tool.weights[word] / math.sqrt(shared[word])
        for word in sorted(worths.keys() & tool.weights.keys())
    )
    if tool.acts and not _asks_to_act(tool, said, meant):
        total *= _UNSAID_ACT
    return total


def _asks_to_act(tool: Tool, said: set[str], meant: Mapping[str, float]) -> bool:
    """Return whether the deed was said and something it is done to."""
    if tool.acts not in said and tool.acts not in meant:
        return False
    verbs = (DEEDS - tool.name_words) | {tool.acts}
    matters = (said - verbs) & tool.weights.keys()
    return bool(matters) or tool.name_words == {tool.acts}


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
    acts = name_words[0] if name_words and name_words[0] in DEEDS else ""
    if len(name_words) > 1 and acts == "order":
        acts = ""  # order_status is about orders, it does not order
    return Tool(
        name=name,
        description=description,
        parameters=parameters,
        name_words=frozenset(name_words),
        weights=weights,
        acts=acts,
    )


def _weigh(weights: dict[str, float], words: Iterable[str], weight: float) -> None:
    for word in words:
        weights[word] = max(weights.get(word, 0.0), weight)


def _shared(tools: Sequence[Tool]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for tool in tools:
        for word in tool.weights:
            counts[word] = counts.get(word, 0) + 1
    return counts
