"""The sentences the rules say themselves, and the small talk they recognise."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from realtime_widget.engine.dialogue.deeds import family_of
from realtime_widget.engine.dialogue.frames import Frame
from realtime_widget.engine.dialogue.parameters import Parameter
from realtime_widget.engine.dialogue.picking import Tool
from realtime_widget.engine.dialogue.words import split_words, stem

UNHEARD: Final = "Sorry, I did not catch that. Could you say it again?"
LEFT: Final = "All right, I will leave that."
GIVEN_UP: Final = "Sorry, I still did not understand that, so I will leave it."
WORKING: Final = "One moment, I am still working on that."
WELCOME: Final = "You are welcome. Is there anything else?"
GOODBYE: Final = "Goodbye, and thank you for stopping by."
FINE: Final = "I am fine, thank you. How can I help you?"
AFFIRMED: Final = "All right. What can I do for you?"
UNANSWERED: Final = "Sorry, I cannot answer right now. Please try again in a moment."
NOT_DOING: Final = "All right, I will not do that."
NOT_DONE_YET: Final = "I have not done that in this conversation."
ALREADY_DONE: Final = "That is done already."
NOTHING_TO_REPEAT: Final = "I have not said anything yet."
SMALL: Final = "I am a small offline demo without a language model."
_NO_TOOLS: Final = "There is nothing I can look up here yet."
_MOST_TOOLS: Final = 4
_MOST_OPTIONS: Final = 7

_GREETING = re.compile(
    r"(?:hello|hi|hey|good (?:morning|afternoon|evening)|howdy)\b", re.I
)
_SMALL_TALK: Final[tuple[tuple[str, re.Pattern[str]], ...]] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("how", r"^how are you\b|^how do you do\b|^how's it going\b"),
        (
            "help",
            r"\bwhat (?:else )?(?:can|do) you do\b|\bhow can you help\b|^help(?: me)?\W*$|"
            r"\bwhat can i (?:ask|say|do)\b|\bwhat are you able\b",
        ),
        ("who", r"\bwho are you\b|\bare you (?:a |an )?(?:robot|human|real|ai|bot)\b|"
                r"\bwhat are you\b|\bwhat is your name\b|\bwhat's your name\b"),
        ("repeat", r"^(?:please )?(?:repeat(?: that)?|say that again|come again|pardon|"
                   r"what did you say|can you repeat\b.*|could you repeat\b.*)\W*$"),
        ("bye", r"^(?:ok(?:ay)? )?(?:good ?bye|bye|see you|that's all|that is all|"
                r"no,? that's (?:all|it))\b"),
        ("thanks", r"^(?:ok(?:ay)?,? |great,? |no,? )?(?:thank you|thanks|cheers|much obliged)\b"),
        ("yes", r"^(?:yes|yeah|yep|sure|ok|okay|all right|alright|great)\W*$"),
        ("no", r"^(?:no|nope|no thank you|no thanks|nothing)\W*$"),
    )
)  # fmt: skip
_WHOSE = re.compile(
    r"\s*\([^)]*\)|\s+(?:of|for) (?:the|a) (?:(?:signed|logged)-in |current )?"
    r"(?:customer|user|visitor)\b",
    re.IGNORECASE,
)
_LEAVE = re.compile(
    r"^(?:no,? |oh,? |please,? )?(?:never ?mind|forget (?:it|that|about it)|cancel(?: that|"
    r" it)?|stop(?: it| that)?|leave it|skip it|quit|abort|no|i don't want(?: that| it)?"
    r"(?: any ?more)?)\W*$",
    re.IGNORECASE,
)
_GREET_WITH = re.compile(
    r"\b(?:say|greet|begin|start|open)\b[^\"“”\n]{0,80}[\"“]([^\"”]{1,400})[\"”]", re.I
)


_YES_OR_NO = re.compile(
    r"(?:(?P<no>no|nope|nah|not now|better not|i(?:'d| would) rather not)|"
    r"yes|yeah|yep|yup|sure|ok|okay|please do|please|go ahead|do (?:it|that|so)|right|"
    r"correct|of course|absolutely|definitely|exactly|all right|alright|"
    r"sounds good|that's right|that would be (?:great|nice|good))"
    r"(?: (?:thanks|thank you))?(?![\w'])[\s,.!]*",
    re.I,
)


def small_talk(text: str) -> str:
    """Return what kind of small talk a text is, "" when it is something else."""
    rest = without_greeting(text)
    for kind, pattern in _SMALL_TALK:
        if pattern.search(rest):
            return kind
    return "hello" if not rest else ""


def without_greeting(text: str) -> str:
    """Return a text without the greeting it begins with."""
    stripped = text.strip()
    match = _GREETING.match(stripped)
    if match is None:
        return stripped
    rest = stripped[match.end() :].lstrip(" ,.!?;:-")
    return re.sub(r"^there\b[ ,.!?]*", "", rest, flags=re.IGNORECASE)


def wants_to_leave(text: str) -> bool:
    """Return whether someone who is being asked wants none of it."""
    return _LEAVE.match(text.strip()) is not None


def greeting(instructions: str, tools: Sequence[Tool]) -> str:
    """Return how a conversation begins; the instructions may quote the words."""
    quoted = _GREET_WITH.search(instructions)
    if quoted:
        return quoted[1].strip()
    return f"Hello! {abilities(tools)}"


def abilities(tools: Sequence[Tool]) -> str:
    """Return what can be asked for, in the tools' own words."""
    if not tools:
        return _NO_TOOLS
    able = [_ability(tool) for tool in tools[:_MOST_TOOLS]]
    more = " And more." if len(tools) > _MOST_TOOLS else ""
    return f"I can {joined(able, 'or')}.{more}"


def fallback(tools: Sequence[Tool]) -> str:
    """Return the honest answer to what fits no tool."""
    return f"{SMALL} {abilities(tools)}"


def question(parameter: Parameter) -> str:
    """Return the question for a missing argument."""
    if {"monday", "mon"} & {str(option).lower() for option in parameter.options}:
        return "For which day?"
    if parameter.options and len(parameter.options) <= _MOST_OPTIONS:
        options = [str(option).replace("_", " ") for option in parameter.options]
        return f"Which {parameter.words}: {joined(options, 'or')}?"
    asked = {
        "date": f"Which {_day_word(parameter)} would you like?",
        "weekday": "Which day would you like?",
        "time": "At what time?",
        "datetime": "On which day, and at what time?",
        "name": "What name shall I use?"
        if parameter.words in {"name", "customer", "customer name", "person"}
        else f"What is the {parameter.words}?",
        "email": "What is your email address?",
        "place": f"Which {parameter.words}?",
        "boolean": f"{_sentence(parameter)} Yes or no?",
        "integer": f"How many {parameter.words}?"
        if parameter.words.endswith(("s", "people"))
        else f"What is the {parameter.words}?",
    }
    return asked.get(parameter.kind, f"What is the {parameter.words}?")


def ask(frame: Frame) -> str:
    """Return the question that a frame waits for, "" when it waits for none."""
    asked = frame.asked()
    if frame.unsure:
        told = [_value_words(value) for value in frame.values.values()]
        deed = deed_words(frame.tool)
        shall = f"Shall I {deed}: {joined(told)}?" if told else f"Shall I {deed}?"
        return (
            frame.lead if frame.lead.endswith("?") else f"{frame.lead} {shall}".strip()
        )
    return question(asked) if asked is not None else ""


def again(asked: str) -> str:
    """Return a question that was answered, but not so that it was understood."""
    return f"Sorry, I did not understand that. {asked}"


def can_do(tool: Tool) -> str:
    """Return the answer to how something is done."""
    return f"Just ask me: I can {deed_words(tool)}."


def instead(undo: Tool, again: Frame) -> str:
    """Return the question whether a deed is to be done over."""
    told = joined([_value_words(value) for value in again.values.values()])
    deed = deed_words(again.tool)
    return f"{ALREADY_DONE} Shall I {deed_words(undo)}, and {deed} instead: {told}?"


def deed_words(tool: Tool) -> str:
    """Return what a tool does, beginning with its verb."""
    words = _ability(tool)
    begins = stem(words.split(" ", 1)[0]) if words else ""
    if family_of(begins) == tool.family:
        return words
    return " ".join(split_words(tool.name)).lower()


def agreement(text: str) -> tuple[bool | None, str]:
    """Return whether a text says yes or no first, None for neither, and its rest."""
    rest = text.strip()
    agreed: bool | None = None
    while match := _YES_OR_NO.match(rest):
        says_no = match["no"] is not None
        if agreed is None or says_no:
            agreed = not says_no
        rest = rest[match.end() :]
        if not rest:
            break
    return agreed, rest


def joined(parts: Sequence[str], word: str = "and") -> str:
    """Return parts as a list in a sentence: "a, b and c"."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def _ability(tool: Tool) -> str:
    first = re.split(r"(?<=[a-z0-9)])[.!?;\n]", tool.description.strip(), maxsplit=1)[0]
    words = first.strip() or tool.name.replace("_", " ")
    words = _WHOSE.sub("", words)
    if len(words) > 1 and words[0].isupper() and not words[1].isupper():
        words = words[0].lower() + words[1:]
    return words.rstrip(".")


def _value_words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _day_word(parameter: Parameter) -> str:
    return parameter.words if "date" not in parameter.words else "day"


def _sentence(parameter: Parameter) -> str:
    words = parameter.description.strip() or parameter.words
    return f"{words[0].upper()}{words[1:]}".rstrip(".?") + "?"
