"""Tool calls that wait for the visitor's word.

Nothing is sent to the model while a call waits, and the talk goes on. An answer is a
button of the page or, where the tool allows it, a plain "yes" or "no".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from realtime_widget.session.config import ToolSpec

# Short answers by language. More words than these and few others are no plain answer.
YES: Final[Mapping[str, frozenset[str]]] = {
    "ar": frozenset({"نعم", "أجل", "موافق"}),
    "de": frozenset({"ja", "jawohl", "genau", "gerne", "einverstanden"}),
    "en": frozenset({"yes", "yeah", "yep", "sure", "okay", "ok"}),
    "es": frozenset({"sí", "si", "claro", "vale"}),
    "fr": frozenset({"oui", "ouais", "accord"}),
    "it": frozenset({"sì", "si", "certo", "accordo"}),
    "nl": frozenset({"ja", "prima", "akkoord"}),
    "pt": frozenset({"sim", "claro"}),
}
NO: Final[Mapping[str, frozenset[str]]] = {
    "ar": frozenset({"لا", "كلا"}),
    "de": frozenset({"nein", "nicht", "nö", "stopp", "abbrechen"}),
    "en": frozenset({"no", "nope", "not", "don't", "stop", "cancel"}),
    "es": frozenset({"no", "cancela"}),
    "fr": frozenset({"non", "pas", "annule"}),
    "it": frozenset({"no", "non", "annulla"}),
    "nl": frozenset({"nee", "niet", "stop"}),
    "pt": frozenset({"não", "nao", "cancela"}),
}
# "Yes, please do that" is an answer; a sentence with a "yes" in it is none.
MAX_ANSWER_WORDS: Final = 5
SUMMARY_CHARS: Final = 300
ARGUMENT_CHARS: Final = 80

_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_PLACE: Final = re.compile(r"\{(\w+)\}")


def plain_answer(text: str, language: str) -> bool | None:
    """Return whether some words are a plain yes or a plain no, None for neither.

    Args:
        text: What was said or typed.
        language: BCP 47 tag of the page; one without a word list is heard as English.
    """
    words = [word.lower().replace("’", "'") for word in _WORD.findall(text)]
    if not 0 < len(words) <= MAX_ANSWER_WORDS:
        return None
    code = language.partition("-")[0].lower()
    yes, no = YES.get(code, YES["en"]), NO.get(code, NO["en"])
    if any(word in no for word in words):
        return False
    return True if words[0] in yes or words[-1] in yes else None


def summary(tool: ToolSpec, arguments: Mapping[str, Any]) -> str:
    """Return what the visitor is asked, with the arguments in their places.

    Args:
        tool: Its ``approval_text`` names the arguments that are shown; the page shows
            the tool's name when there is no text.
        arguments: As the model gave them: data, cut and made printable.
    """
    return fill_in(tool.approval_text, arguments)


def fill_in(text: str, arguments: Mapping[str, Any]) -> str:
    """Return a text with arguments in their places: data, cut and made printable."""

    def shown(place: re.Match[str]) -> str:
        value = str(arguments.get(place[1], "…"))[:ARGUMENT_CHARS]
        return "".join(char if char.isprintable() else " " for char in value)

    return _PLACE.sub(shown, text)[:SUMMARY_CHARS]
