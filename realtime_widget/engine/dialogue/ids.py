"""Order numbers and their like in speech: digits, perhaps with letters before them."""

from __future__ import annotations

from typing import Final

from realtime_widget.engine.dialogue.numbers import Number, find_numbers
from realtime_widget.engine.dialogue.parameters import Parameter
from realtime_widget.engine.dialogue.words import Said, stem

_SPANS: Final = frozenset({"minute", "hour", "day", "week", "month", "year"})


def take_id(said: Said, parameter: Parameter) -> str | None:
    """Return an order-number-like id: digits, with the letters said before them."""
    prefix, separator = parameter.id_prefix()
    numbers = [n for n in find_numbers(said) if not _is_span(said, n)]
    if not numbers:
        return None
    named = {stem(word) for word in parameter.words.split()} | {"number", "#"}
    near = [
        n for n in numbers if n.start and stem(said.words[n.start - 1].low) in named
    ]
    number = (near or sorted(numbers, key=lambda n: -len(n.digits)))[0]
    letters, start = _letters_before(said, number.start, prefix)
    said.use(start, number.end)
    if letters:
        return _lettered(parameter, letters, separator, number.digits)
    if prefix and parameter.pattern and not parameter.accepts(number.digits):
        return _lettered(parameter, prefix, separator, number.digits)
    return number.digits


def _is_span(said: Said, number: Number) -> bool:
    """Return whether a number counts time: "two weeks ago"."""
    after = said.words[number.end].low if number.end < len(said.words) else ""
    return after.removesuffix("s") in _SPANS


def _letters_before(said: Said, at: int, prefix: str) -> tuple[str, int]:
    """Return the letters an id begins with and the index of the first of them."""
    start = at
    letters = ""
    while start and len(letters) < 4 and said.free(start - 1, start):
        word = said.words[start - 1]
        glued = said.words[start].start - word.end <= 1 and (
            said.text[word.end : said.words[start].start] in {"", "-"}
        )
        single = len(word.text) == 1 and word.text.isupper() and word.text != "I"
        known = bool(prefix) and word.text.upper() == prefix
        if not (single or known or (glued and word.text.isupper())):
            break
        letters = word.text.upper() + letters
        start -= 1
    return letters, start


def _lettered(parameter: Parameter, letters: str, separator: str, digits: str) -> str:
    forms = [f"{letters}{separator or '-'}{digits}", f"{letters}{digits}"]
    return next((form for form in forms if parameter.accepts(form)), forms[0])
