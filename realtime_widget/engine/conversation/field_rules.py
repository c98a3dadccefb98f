"""What a field of an event may hold: rules, and rules made from rules.

A rule takes a value and its path and raises ``EventRefused`` in the API's own words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from realtime_widget.engine.conversation import errors

Rule = Callable[[Any, str], None]


def mapping(value: Any, path: str) -> Mapping[str, Any]:
    """Return a value that has to be an object."""
    if not isinstance(value, dict):
        raise errors.wrong_type(path, "an object", value)
    return value


def text(value: Any, path: str) -> str:
    """Return a value that has to be text."""
    if not isinstance(value, str):
        raise errors.wrong_type(path, "a string", value)
    return value


def array(value: Any, path: str) -> list[Any]:
    """Return a value that has to be a list."""
    if not isinstance(value, list):
        raise errors.wrong_type(path, "an array", value)
    return value


def whole_number(value: Any, path: str) -> int:
    """Return a value that has to be an integer."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise errors.wrong_type(path, "an integer", value)
    return value


def boolean(value: Any, path: str) -> None:
    """Check a flag."""
    if not isinstance(value, bool):
        raise errors.wrong_type(path, "a boolean", value)


def words(value: Any, path: str) -> None:
    """Check a text."""
    text(value, path)


def an_object(value: Any, path: str) -> None:
    """Check an object whose fields are the client's business."""
    mapping(value, path)


def unknown(_value: Any, path: str) -> None:
    """Refuse a field that has another name or place here."""
    raise errors.unknown_parameter(path)


def number_within(lowest: float, highest: float) -> Rule:
    """Return a rule for numbers of a range."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise errors.wrong_type(path, "a decimal", value)
        # Not the other way round: NaN is in no range.
        if not lowest <= value <= highest:
            raise errors.out_of_range(path, "decimal", value, lowest, highest)

    return check


def integer_within(lowest: int, highest: int) -> Rule:
    """Return a rule for integers of a range."""

    def check(value: Any, path: str) -> None:
        number = whole_number(value, path)
        if not lowest <= number <= highest:
            raise errors.out_of_range(path, "integer", number, lowest, highest)

    return check


def text_within(highest: int) -> Rule:
    """Return a rule for texts of a bounded length."""

    def check(value: Any, path: str) -> None:
        length = len(text(value, path))
        if length > highest:
            raise errors.too_long(path, length, highest)

    return check


def one_of(*names: str) -> Rule:
    """Return a rule for words of a list."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, str) or value not in names:
            raise errors.invalid(path, value, names)

    return check


def list_of(rule: Rule) -> Rule:
    """Return a rule for lists whose members follow a rule."""

    def check(value: Any, path: str) -> None:
        for at, member in enumerate(array(value, path)):
            rule(member, f"{path}[{at}]")

    return check


def may_be_null(rule: Rule) -> Rule:
    """Return a rule that also lets null pass."""
    return lambda value, path: None if value is None else rule(value, path)


def fields(rules: Mapping[str, Rule]) -> Rule:
    """Return a rule for an object, field by field; others may be there."""

    def check(value: Any, path: str) -> None:
        there = mapping(value, path)
        for name, rule in rules.items():
            if name in there:
                rule(there[name], f"{path}.{name}")

    return check
