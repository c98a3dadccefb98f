"""From the tables and lists of a file to a scenario; every mistake says where it is."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final, TypeVar

from realtime_widget.engine.scenario.script import (
    CallTool,
    ConnectionScript,
    Fail,
    Handshake,
    Rule,
    Say,
    Scenario,
    ScenarioError,
    Step,
    Turn,
    Wait,
)

Path = tuple[str | int, ...]
Read = TypeVar("Read")

_CONNECTION: Final = ("handshake", "turns", "events")


def read_scenario(data: Any) -> Scenario:
    """Return the scenario that a file's content describes.

    Args:
        data: A table with ``connections``, or with the keys of one connection, which
            all clients then meet alike.

    Raises:
        ScenarioError: If anything in it is wrong.
    """
    table = _table(data, (), ("connections", *_CONNECTION))
    if "connections" not in table:
        return Scenario((_connection(table, ()),))
    if len(table) > 1:
        other = next(key for key in table if key != "connections")
        raise ScenarioError((other,), "belongs into one of the connections.")
    connections = _list(table["connections"], ("connections",), _connection)
    if not connections:
        raise ScenarioError(("connections",), "needs at least one connection.")
    return Scenario(connections)


def _connection(data: Any, path: Path) -> ConnectionScript:
    table = _table(data, path, _CONNECTION)
    return ConnectionScript(
        _handshake(table.get("handshake", {}), (*path, "handshake")),
        _list(table.get("turns", ()), (*path, "turns"), _turn),
        _list(table.get("events", ()), (*path, "events"), _rule),
    )


def _handshake(data: Any, path: Path) -> Handshake:
    table = _table(data, path, ("status", "delay_ms"))
    status = table.get("status")
    refusals = [int(known) for known in HTTPStatus if known >= 400]
    if status is not None and (isinstance(status, bool) or status not in refusals):
        raise ScenarioError(
            (*path, "status"), "must be an HTTP status from 400 to 511."
        )
    delay_ms = _ms(table.get("delay_ms", 0), (*path, "delay_ms"))
    return Handshake(status, delay_ms)


def _turn(data: Any, path: Path) -> Turn:
    table = _table(data, path, ("hears", "steps", "events"))
    hears, steps = table.get("hears"), table.get("steps")
    return Turn(
        None if hears is None else _text(hears, (*path, "hears")),
        None if steps is None else _list(steps, (*path, "steps"), _step),
        _list(table.get("events", ()), (*path, "events"), _rule),
    )


def _step(data: Any, path: Path) -> Step:
    table = _table(data, path, _STEPS)
    name, value = _only(table, _STEPS, path)
    return _STEPS[name](value, (*path, name))


def _call(data: Any, path: Path) -> CallTool:
    table = _table(data, path, ("name", "arguments"))
    name = _text(table.get("name"), (*path, "name"))
    arguments = table.get("arguments", {})
    # Text goes out as it is, so that a model's broken JSON can be played too.
    given = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return CallTool(name, given)


def _fail(data: Any, path: Path) -> Fail:
    _true(data, path)
    return Fail()


_STEPS: Final[Mapping[str, Callable[[Any, Path], Step]]] = {
    "say": lambda data, path: Say(_text(data, path)),
    "wait_ms": lambda data, path: Wait(_ms(data, path)),
    "call": _call,
    "fail": _fail,
}


def _rule(data: Any, path: Path) -> Rule:
    table = _table(data, path, ("at", "nth", *ACTIONS))
    at = _text(table.get("at"), (*path, "at"))
    nth = table.get("nth", 1)
    if isinstance(nth, bool) or not isinstance(nth, int) or nth < 1:
        raise ScenarioError((*path, "nth"), "must be a whole number from 1.")
    action, value = _only(table, ACTIONS, path)
    return Rule(at, nth, action, ACTIONS[action](value, (*path, action)))


def _error(data: Any, path: Path) -> Mapping[str, Any]:
    table = _table(data, path, ("type", "code", "message", "param"))
    for key, value in table.items():
        _text(value, (*path, key))
    return {
        "type": "invalid_request_error",
        "code": None,
        "message": "An error of the scenario.",
        "param": None,
        "event_id": None,
        **table,
    }


def _close(data: Any, path: Path) -> tuple[int, str]:
    table = _table(data, path, ("code", "reason"))
    code = table.get("code", 1011)
    known = isinstance(code, int) and (1000 <= code <= 1014 or 3000 <= code <= 4999)
    if not known or code in (1004, 1005, 1006):
        raise ScenarioError(
            (*path, "code"),
            "must be a close code that may be sent: 1000 to 1014 or 3000 to 4999.",
        )
    return code, _text(table.get("reason", ""), (*path, "reason"))


def _event(data: Any, path: Path) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise ScenarioError(path, "must be an event, a table.")
    _text(data.get("type"), (*path, "type"))
    return data


# --- the kinds of values -------------------------------------------------------


def _text(data: Any, path: Path) -> str:
    if not isinstance(data, str):
        raise ScenarioError(path, f"must be text, not {_kind(data)}.")
    return data


def _ms(data: Any, path: Path) -> float:
    if isinstance(data, bool) or not isinstance(data, int | float) or data < 0:
        raise ScenarioError(path, "must be milliseconds, 0 or more.")
    return data


def _true(data: Any, path: Path) -> bool:
    if data is not True:
        raise ScenarioError(path, "takes the value true; leave it out otherwise.")
    return True


def _list(data: Any, path: Path, read: Callable[[Any, Path], Read]) -> tuple[Read, ...]:
    if not isinstance(data, list | tuple):
        raise ScenarioError(path, f"must be a list, not {_kind(data)}.")
    return tuple(read(entry, (*path, at)) for at, entry in enumerate(data))


def _table(data: Any, path: Path, known: Iterable[str]) -> Mapping[str, Any]:
    names = list(known)
    if not isinstance(data, Mapping):
        raise ScenarioError(path, f"must be a table, not {_kind(data)}.")
    for key in data:
        if key not in names:
            near = difflib.get_close_matches(str(key), names, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ScenarioError(
                (*path, str(key)), f"is not known.{hint} Known: {', '.join(names)}."
            )
    return data


def _only(
    table: Mapping[str, Any], choices: Iterable[str], path: Path
) -> tuple[str, Any]:
    names = list(choices)
    found = [name for name in names if name in table]
    if len(found) != 1:
        raise ScenarioError(path, f"needs exactly one of: {', '.join(names)}.")
    return found[0], table[found[0]]


def _kind(data: Any) -> str:
    return "nothing" if data is None else type(data).__name__


# What a rule may do, and how its value is read.
ACTIONS: Final[Mapping[str, Callable[[Any, Path], Any]]] = {
    "delay_ms": _ms,
    "omit": _true,
    "repeat": _true,
    "after": _text,
    "malform": _true,
    "send": _event,
    "raw": _text,
    "error": _error,
    "expire": _true,
    "stall": _true,
    "close": _close,
    "drop": _true,
}
