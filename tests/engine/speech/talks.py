"""Conversations written one a line: what is said, turn by turn, and the calls made.

``turn / turn => tool name=value; name=value + tool``; ``-`` stands for no call and
``?`` for no call but a question.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.engine.speech.dialogues import Talk


def read(path: Path) -> list[str]:
    """Return a file's conversations."""
    return [line for line in path.read_text().splitlines() if line]


def run(line: str, tools: list[dict[str, Any]], **options: Any) -> tuple[Talk, str]:
    """Hold a conversation and return it with its last answer, its calls checked."""
    said, _arrow, expected = line.partition(" => ")
    talk = Talk(tools=tools, **options)
    answer = ""
    for turn in said.split(" / "):
        answer = talk.say(turn)
    assert talk.calls == _calls(expected)
    if expected == "?":
        assert answer.endswith("?"), answer
    return talk, answer


def _calls(expected: str) -> list[tuple[str, dict[str, str]]]:
    if expected in {"-", "?"}:
        return []
    return [_call(one) for one in expected.split(" + ")]


def _call(text: str) -> tuple[str, dict[str, str]]:
    name, _blank, arguments = text.partition(" ")
    pairs = [pair.split("=") for pair in arguments.split("; ") if pair]
    return name, dict(pairs)
