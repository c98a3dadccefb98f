"""Say what a tool returned, in one or two sentences."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from realtime_widget.engine.dialogue.dates import spoken_date
from realtime_widget.engine.dialogue.phrases import joined
from realtime_widget.engine.dialogue.words import split_words

DONE: Final = "Done."
APOLOGY: Final = "Sorry, that did not work."
_SPOKEN_KEYS: Final = ("speech", "message", "summary", "text", "answer")
_LABEL_KEYS: Final = ("name", "title", "label", "subject", "id", "reference")
_ERROR_KEYS: Final = ("error", "errors")
_DETAIL_KEYS: Final = ("message", "detail", "reason", "description")
# Keys that are for programs.
_SILENT = re.compile(
    r"(?:^|_)(?:id|uuid|pk|url|uri|href|link|slug|token|etag)$|^_|^ok$|^success$"
)
# Reasons that a visitor should not hear: a program's, or a hint to the model.
_FOR_PROGRAMS = re.compile(
    r"\w_\w|[{}\[\]<>\\=]|Traceback|Error\b|Exception\b|\bJSON\b|"
    r"\b[Tt]ools?\b|\b[Aa]rguments?\b|\b[Cc]alls\b|\b[Aa]pologi[sz]e\b"
)
_MOST_FACTS: Final = 4
_MOST_ITEMS: Final = 3
_MOST_CHARS: Final = 600
_UNITS: Final = {
    "c": "degrees Celsius",
    "celsius": "degrees Celsius",
    "f": "degrees Fahrenheit",
    "km": "kilometres",
    "kg": "kilograms",
    "s": "seconds",
    "min": "minutes",
    "h": "hours",
    "percent": "percent",
    "pct": "percent",
    "usd": "dollars",
    "eur": "euros",
    "gbp": "pounds",
}
_VERB_ENDINGS: Final = ("s", "ed")


def answer(
    outputs: Sequence[str],
    *,
    arguments: Sequence[str],
    today: date,
    acted: bool = False,
) -> str:
    """Return what to say about the outputs of one question's tool calls.

    Args:
        outputs: ``output`` of each ``function_call_output``.
        arguments: ``arguments`` of the calls; what the visitor said is not told back.
        today: For dates of another year.
        acted: Whether something was changed, which is confirmed first.
    """
    known: dict[str, Any] = {}
    for text in arguments:
        read = _json(text)
        if isinstance(read, Mapping):
            known.update(read)
    said = [_say(_json(output), known, today) for output in outputs]
    if acted and any(text.startswith("The ") for text in said):
        said.insert(0, DONE)
    return " ".join(dict.fromkeys(said))


def is_error(output: str) -> bool:
    """Return whether a tool's output says that it failed."""
    read = _json(output)
    return isinstance(read, Mapping) and any(read.get(key) for key in _ERROR_KEYS)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _say(value: Any, known: Mapping[str, Any], today: date) -> str:
    if value is None or value in ("", True) or value == {}:
        return DONE
    if value is False:
        return "No."
    if isinstance(value, Mapping):
        return _say_object(value, known, today)
    if isinstance(value, list):
        return _say_list("", value, today)
    if isinstance(value, str):
        return _sentence(_bounded(_spoken(value, today)))
    return f"It is {_spoken(value, today)}."


def _say_object(value: Mapping[str, Any], known: Mapping[str, Any], today: date) -> str:
    for key in _ERROR_KEYS:
        if value.get(key):
            return _apology(value[key])
    for key in _SPOKEN_KEYS:
        if isinstance(value.get(key), str) and value[key].strip():
            return _sentence(_bounded(value[key].strip()))
    lists = [(k, v) for k, v in value.items() if isinstance(v, list)]
    facts = _facts(value, known, today)
    parts = [_joined_facts(facts)] if facts else []
    parts += [_say_list(key, items, today) for key, items in lists[:1]]
    return " ".join(parts) or DONE


def _apology(error: Any) -> str:
    """Return an apology with the reason when it is written for people."""
    if isinstance(error, Mapping):
        error = next((error[key] for key in _DETAIL_KEYS if error.get(key)), "")
    reason = str(error).strip() if isinstance(error, str) else ""
    if " " not in reason or len(reason) > 200 or _FOR_PROGRAMS.search(reason):
        return APOLOGY
    return f"{APOLOGY} {_sentence(reason)}"


def _facts(
    value: Mapping[str, Any], known: Mapping[str, Any], today: date
) -> list[str]:
    spans = _opening(value)
    facts = [spans] if spans else []
    skipped = {"open", "opens", "close", "closes"} if spans else set()
    for key, fact in value.items():
        told = str(known.get(key, "")).lower() == str(fact).lower() and key in known
        if key in skipped or told or _SILENT.search(key):
            continue
        if isinstance(fact, Mapping):
            inner = _facts(fact, known, today)
            facts += [f"{_words(key)}: {joined(inner)}"] if inner else []
        elif not isinstance(fact, list) and fact not in (None, ""):
            facts.append(_fact(key, fact, today))
    return facts[:_MOST_FACTS]


def _opening(value: Mapping[str, Any]) -> str:
    """Return opening and closing time as a person says them."""
    opens = value.get("open", value.get("opens"))
    closes = value.get("close", value.get("closes"))
    if not (isinstance(opens, str) and isinstance(closes, str)):
        return ""
    return f"it is open from {opens} to {closes}"


def _fact(key: str, fact: Any, today: date) -> str:
    words = _words(key)
    if isinstance(fact, bool):
        return f"{words}: {'yes' if fact else 'no'}"
    spoken = _spoken(fact, today)
    rest, _blank, last = words.rpartition(" ")
    if rest and last in _UNITS and not isinstance(fact, str):
        words, spoken, last = rest, f"{spoken} {_UNITS[last]}", rest
    if spoken != str(fact) and last.endswith(_VERB_ENDINGS) and last != "status":
        return f"it {words} on {spoken}"
    if last == "at":
        return f"{words.removesuffix(' at')} at {spoken}"
    plural = last.endswith("s") and not last.endswith(("ss", "us"))
    return f"the {words} {'are' if plural else 'is'} {spoken}"


def _joined_facts(facts: Sequence[str]) -> str:
    """Return facts in sentences of two, which a listener can keep."""
    pairs = [facts[at : at + 2] for at in range(0, len(facts), 2)]
    return " ".join(_sentence(joined(pair)) for pair in pairs)


def _say_list(key: str, items: Sequence[Any], today: date) -> str:
    words = _words(key) if key else ""
    if not items:
        return f"There are no {words}." if words else "I found nothing."
    shown = [_item(item, today) for item in items[:_MOST_ITEMS]]
    listed = joined([item for item in shown if item])
    if len(items) == 1:
        return _sentence(f"I found one: {listed}" if listed else "I found one")
    what = f"{len(items)} {words}".strip()
    lead = "the first are" if len(items) > _MOST_ITEMS else "they are"
    return _sentence(f"I found {what}" + (f"; {lead} {listed}" if listed else ""))


def _item(item: Any, today: date) -> str:
    if not isinstance(item, Mapping):
        return _spoken(item, today) if not isinstance(item, list) else ""
    label = next((str(item[k]) for k in _LABEL_KEYS if item.get(k)), "")
    others = [
        _spoken(fact, today)
        for key, fact in item.items()
        if key not in _LABEL_KEYS
        and not _SILENT.search(key)
        and isinstance(fact, str | int | float)
        and not isinstance(fact, bool)
    ]
    return ", ".join(part for part in (label, *others[:2]) if part)


def _words(key: str) -> str:
    return " ".join(split_words(key)).lower() or key


def _spoken(value: Any, today: date) -> str:
    """Return a value in words: ISO days and moments as people say them."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}" if value == round(value) else f"{round(value, 2)}"
    text = str(value).replace("_", " ") if _is_code(value) else str(value)
    if not re.match(r"\d{4}-\d{2}-\d{2}(?:$|[T ]\d{2}:\d{2})", text):
        return text.strip()
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return text.strip()
    day = spoken_date(moment.date(), today)
    return f"{day} at {moment:%H:%M}" if len(text.strip()) > 10 else day


def _is_code(value: Any) -> bool:
    return (
        isinstance(value, str)
        and re.fullmatch(r"[a-z]+(?:_[a-z]+)+", value) is not None
    )


def _sentence(text: str) -> str:
    text = text.strip()
    if not text:
        return ""
    closed = text if text[-1] in ".!?…" else f"{text}."
    return closed[0].upper() + closed[1:]


def _bounded(text: str) -> str:
    """Return a text short enough to listen to, cut at a sentence."""
    if len(text) <= _MOST_CHARS:
        return text
    cut = text[:_MOST_CHARS]
    return cut[: max(cut.rfind(". "), cut.rfind("\n"), 200) + 1].strip()
