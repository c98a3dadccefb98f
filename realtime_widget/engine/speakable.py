"""Turn written answers into what a voice can say, and cut them into sentences.

Pure functions: what is shown stays as it was written, only the voice gets these words.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Voices sound wrong on a fragment and late on a paragraph.
SENTENCE_CHARS: Final = 300

_ABBREVIATIONS: Final = (
    "mr mrs ms dr prof st no nr vs e.g i.e a.m p.m approx etc inc ltd jr sr "
)
_BOUNDARY = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|\n+")
_CLAUSE = re.compile(r"(?<=[,;:—–])\s+")
_CODE_BLOCK = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_IMAGE_OR_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\s]*\)")
_URL = re.compile(
    r"\b(?:https?://|www\.)[^\s<>\"')\]]*[^\s<>\"')\].,;:!?]", re.IGNORECASE
)
_EMAIL = re.compile(r"\b([\w.+-]+)@([\w-]+(?:\.[\w-]+)+)\b")
_TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,200}>")
_LINE_MARK = re.compile(r"^[ \t]*(?:#{1,6}|[-*+•]|>+|\|)[ \t]+", re.MULTILINE)
_RULE = re.compile(r"^[ \t]*(?:[-*_=|:][ \t]*){3,}$", re.MULTILINE)
_EMPHASIS = re.compile(r"(\*{1,3}|_{1,3}|~~|`)(?=\S)([^\n]{1,200}?)(?<=\S)\1(?!\w)")
_ID = re.compile(r"\b([A-Z]{1,4})[-/ ]?(\d{2,})((?:-\d+)*)\b(?![.,]\d)")
_LONG_NUMBER = re.compile(r"(?<![\d.,:/-])\d{5,}(?![\d.,:/-]*\d)")
_HASH_NUMBER = re.compile(r"#\s?(?=\d)")
_CLOCK = re.compile(
    r"\b([01]?\d|2[0-3]):([0-5]\d)(?::[0-5]\d)?\b(?!\s?[ap]\.?m\b)", re.I
)
_ISO_DATE = re.compile(r"\b(\d{4}-\d{2}-\d{2})T(?=\d)")
_LONE_MARK = re.compile(r"[*`~|\\^<>{}\[\]]+")
_SPACE_BEFORE_STOP = re.compile(r"[ \t]+(?=[.,;:!?])")
_SNAKE = re.compile(r"(?<=[a-z0-9])_(?=[a-z0-9])")
_DROPPED_CATEGORIES: Final = frozenset({"So", "Sk", "Cs", "Co", "Cn", "Cc", "Cf", "Mn"})
_KEPT: Final = "\n"


def speakable(text: str) -> str:
    """Return the words a voice should say for a written text.

    Markdown marks, emoji, tags and addresses of pages go; letters and digits of order
    numbers are spelled; 24-hour times become 12-hour ones.
    """
    text = unicodedata.normalize("NFC", text)
    text = _CODE_BLOCK.sub(" ", text)
    text = _IMAGE_OR_LINK.sub(r"\1", text)
    text = _URL.sub("the link", text)
    text = _EMAIL.sub(_spoken_email, text)
    text = _TAG.sub(" ", text)
    text = _RULE.sub("", text)
    text = _LINE_MARK.sub("", text)
    for _nested in range(3):
        text = _EMPHASIS.sub(r"\2", text)
    text = _ISO_DATE.sub(r"\1 at ", text)
    text = _CLOCK.sub(_spoken_time, text)
    text = _HASH_NUMBER.sub("number ", text)
    text = _ID.sub(_spoken_id, text)
    text = _LONG_NUMBER.sub(lambda match: " ".join(match[0]), text)
    text = _SNAKE.sub(" ", text)
    text = _LONE_MARK.sub(" ", text.replace(" | ", ", "))
    kept = (
        char
        if char in _KEPT or unicodedata.category(char) not in _DROPPED_CATEGORIES
        else " "
        for char in text
    )
    text = _SPACE_BEFORE_STOP.sub("", "".join(kept))
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if any(c.isalnum() for c in line))


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, each at most ``SENTENCE_CHARS`` long."""
    found: list[str] = []
    start = 0
    for match in _BOUNDARY.finditer(text):
        if _ends_sentence(text, start, match.start(), match.end()):
            found.append(text[start : match.start()].strip())
            start = match.end()
    found.append(text[start:].strip())
    return [part for sentence in found for part in _bounded(sentence) if part]


class SentenceSplitter:
    """Cuts a text that arrives in pieces into sentences."""

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, delta: str) -> list[str]:
        """Return the sentences that are complete with this piece.

        A sentence that gets longer than ``SENTENCE_CHARS`` is given out in parts.
        """
        self._rest += delta
        complete: list[str] = []
        start = 0
        for match in _BOUNDARY.finditer(self._rest):
            # What follows decides whether a full stop ends a sentence.
            if match.end() < len(self._rest) and _ends_sentence(
                self._rest, start, match.start(), match.end()
            ):
                complete += _bounded(self._rest[start : match.end()].strip())
                start = match.end()
        *parts, self._rest = _open_parts(self._rest[start:])
        return [part for part in (*complete, *parts) if part]

    def flush(self) -> list[str]:
        """Return what is left as a last sentence."""
        rest, self._rest = self._rest.strip(), ""
        return [rest] if rest else []


def _open_parts(rest: str) -> list[str]:
    """Return an unfinished sentence, its beginning cut off when it is too long."""
    if len(rest) <= SENTENCE_CHARS:
        return [rest]
    *parts, last = _bounded(rest)
    # What was typed at the very end, a blank perhaps, belongs to what comes.
    return [*parts, last + rest[len(rest.rstrip()) :]]


def _ends_sentence(text: str, start: int, end: int, following: int) -> bool:
    if "\n" in text[end:following]:
        return True
    if following < len(text) and text[following].islower():
        return False
    if text[end - 1 : end] != ".":
        return True
    word = text[start:end].rstrip(".").rpartition(" ")[2].lstrip("(\"'“‘").lower()
    return f"{word} " not in _ABBREVIATIONS and not (len(word) == 1 and word.isalpha())


def _bounded(sentence: str) -> list[str]:
    if len(sentence) <= SENTENCE_CHARS:
        return [sentence]
    parts: list[str] = []
    current = ""
    pieces = _CLAUSE.split(sentence)
    words = [w for p in pieces for w in (p.split() if len(p) > SENTENCE_CHARS else [p])]
    for piece in words:
        for chunk in _cut(piece):
            if current and len(current) + len(chunk) + 1 > SENTENCE_CHARS:
                parts.append(current)
                current = chunk
            else:
                current = f"{current} {chunk}".strip()
    return [*parts, current]


def _cut(word: str) -> list[str]:
    step = SENTENCE_CHARS
    return [word[at : at + step] for at in range(0, len(word), step)]


def _spoken_id(match: re.Match[str]) -> str:
    letters = "-".join(match[1])
    digits = " ".join(match[2])
    tail = "".join(f", {' '.join(group)}" for group in match[3].split("-") if group)
    return f"{letters}-{digits}{tail}"


def _spoken_time(match: re.Match[str]) -> str:
    hour, minute = int(match[1]), int(match[2])
    half = "AM" if hour < 12 else "PM"
    spoken_minute = f":{minute:02d}" if minute else ""
    return f"{(hour - 1) % 12 + 1}{spoken_minute} {half}"


def _spoken_email(match: re.Match[str]) -> str:
    return f"{match[1]} at {match[2]}".replace(".", " dot ").replace("_", " ")
