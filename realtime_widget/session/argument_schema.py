"""Checking a call's arguments against the JSON Schema that the model was given.

It knows the keywords that a tool's row may use (``models.schemas``); ``format`` is a
hint for the model and is not checked. Patterns run in an engine whose time is linear in
the text, so no argument can hold up the event loop; one that it does not know
(look-around, back references) is left to whoever answers the call.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from pydantic_core import SchemaError, SchemaValidator, ValidationError, core_schema

from realtime_widget.exceptions import BadToolArguments

Schema = Mapping[str, Any]

# How many faults of one call the model is told about.
FAULTS_TOLD: Final = 5
MAX_DEPTH: Final = 16
# Steps of one check: alternatives within alternatives could go on for ever.
MAX_STEPS: Final = 20_000
SHOWN_CHARS: Final = 60


def check_arguments(schema: Schema, arguments: Mapping[str, Any]) -> None:
    """Refuse arguments that do not fit.

    Args:
        schema: An object schema.
        arguments: Parsed, within their bounds.

    Raises:
        BadToolArguments: With words the model can correct itself by.
    """
    faults = []
    for fault in _faults(schema, arguments, "", _Root(schema)):
        faults.append(fault)
        if len(faults) == FAULTS_TOLD:
            break
    if faults:
        raise BadToolArguments("; ".join(faults))


class _Root:
    """What references of a schema lead to, and how much work is left.

    Args:
        schema: The outermost schema.
    """

    def __init__(self, schema: Schema) -> None:
        found = schema.get("$defs")
        self.definitions: Schema = found if isinstance(found, Mapping) else {}
        self.steps = MAX_STEPS


def _faults(
    schema: Schema, value: Any, path: str, root: _Root, depth: int = 1
) -> Iterator[str]:
    """Yield what is wrong with a value, in words."""
    root.steps -= 1
    if depth > MAX_DEPTH or root.steps < 0:
        return
    target = root.definitions.get(str(schema.get("$ref", "")).removeprefix("#/$defs/"))
    if isinstance(target, Mapping):
        yield from _faults(target, value, path, root, depth + 1)
    wanted = schema.get("type")
    kinds = wanted if isinstance(wanted, list) else [wanted] if wanted else []
    if kinds and not any(_is(kind, value) for kind in kinds):
        yield f"{_place(path)}: must be {' or '.join(map(str, kinds))}"
        return  # what else is wrong follows from this
    if "enum" in schema and not any(_same(value, one) for one in schema["enum"]):
        choices = json.dumps(schema["enum"], ensure_ascii=False)
        yield f"{_place(path)}: must be one of {choices[: SHOWN_CHARS * 4]}"
    if "const" in schema and not _same(value, schema["const"]):
        const = json.dumps(schema["const"], ensure_ascii=False)
        yield f"{_place(path)}: must be {const[:SHOWN_CHARS]}"
    yield from (f"{_place(path)}: {words}" for words in _bounds(schema, value))
    yield from _inside(schema, value, path, root, depth)
    yield from _combined(schema, value, path, root, depth)


def _inside(
    schema: Schema, value: Any, path: str, root: _Root, depth: int
) -> Iterator[str]:
    """Yield the faults of an object's fields or of an array's entries."""
    if isinstance(value, Mapping):
        fields = schema.get("properties", {})
        for name in schema.get("required", ()):
            if name not in value:
                yield f"{_place(_joined(path, name))}: is missing"
        others = schema.get("additionalProperties", True)
        for name, part in value.items():
            here = _joined(path, name)
            if name in fields:
                yield from _faults(fields[name], part, here, root, depth + 1)
            elif others is False:
                yield f"{_place(here)}: is not known"
            elif isinstance(others, Mapping):
                yield from _faults(others, part, here, root, depth + 1)
    elif isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        for at, part in enumerate(value):
            yield from _faults(schema["items"], part, f"{path}[{at}]", root, depth + 1)


def _combined(
    schema: Schema, value: Any, path: str, root: _Root, depth: int
) -> Iterator[str]:
    """Yield the faults that several schemas together find."""

    def fits(one: Schema) -> bool:
        return next(_faults(one, value, path, root, depth + 1), None) is None

    for one in schema.get("allOf", ()):
        yield from _faults(one, value, path, root, depth + 1)
    if "anyOf" in schema and not any(map(fits, schema["anyOf"])):
        yield f"{_place(path)}: fits none of what is possible"
    if "oneOf" in schema and sum(map(fits, schema["oneOf"])) != 1:
        yield f"{_place(path)}: must fit exactly one of what is possible"


Checks = Mapping[str, tuple[Callable[[Any, Any], bool], str]]


def _bounds(schema: Schema, value: Any) -> Iterator[str]:
    """Yield what is wrong with a value's size."""
    checks: Checks
    size: float
    if isinstance(value, str):
        checks, size = _TEXT, len(value)
        pattern = schema.get("pattern")
        if isinstance(pattern, str) and not _matches(pattern, value):
            yield f"must match {pattern[:SHOWN_CHARS]}"
    elif isinstance(value, list):
        checks, size = _ITEMS, len(value)
        if schema.get("uniqueItems") and _has_twice(value):
            yield "must not hold anything twice"
    elif isinstance(value, int | float) and not isinstance(value, bool):
        checks, size = _NUMBER, value
    else:
        return
    for keyword, (holds, words) in checks.items():
        bound = schema.get(keyword)
        if bound is not None and not holds(size, bound):
            yield words.format(bound)


def _multiple(value: float, step: float) -> bool:
    if isinstance(value, int) and isinstance(step, int):
        return value % step == 0
    quotient = value / step
    return abs(quotient - round(quotient)) < 1e-9


_TEXT: Final[Checks] = {
    "minLength": (lambda size, bound: size >= bound, "needs {} characters or more"),
    "maxLength": (lambda size, bound: size <= bound, "takes {} characters at most"),
}
_ITEMS: Final[Checks] = {
    "minItems": (lambda size, bound: size >= bound, "needs {} entries or more"),
    "maxItems": (lambda size, bound: size <= bound, "takes {} entries at most"),
}
_NUMBER: Final[Checks] = {
    "minimum": (lambda value, bound: value >= bound, "must be {} or more"),
    "maximum": (lambda value, bound: value <= bound, "must be {} or less"),
    "exclusiveMinimum": (lambda value, bound: value > bound, "must be more than {}"),
    "exclusiveMaximum": (lambda value, bound: value < bound, "must be less than {}"),
    "multipleOf": (_multiple, "must be a multiple of {}"),
}
_KINDS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "object": lambda value: isinstance(value, Mapping),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool)
    ),
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool))
        or (isinstance(value, float) and value.is_integer())
    ),
}


def _is(kind: Any, value: Any) -> bool:
    check = _KINDS.get(kind)
    return check is None or check(value)


def _same(left: Any, right: Any) -> bool:
    """Return whether two JSON values are equal; true is not 1 there."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def _has_twice(values: list[Any]) -> bool:
    seen = set()
    for value in values:
        text = json.dumps(value, sort_keys=True)
        if text in seen:
            return True
        seen.add(text)
    return False


def _matches(pattern: str, text: str) -> bool:
    check = _pattern(pattern)
    if check is None:
        return True
    try:
        check.validate_python(text)
    except ValidationError:
        return False
    return True


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> SchemaValidator | None:
    """Return what searches a text, None for a pattern the engine does not know."""
    schema = core_schema.str_schema(pattern=pattern, regex_engine="rust-regex")
    try:
        return SchemaValidator(schema)
    except SchemaError:
        return None


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _place(path: str) -> str:
    """Return where something is, as text for the model; names may be its own."""
    return path[:SHOWN_CHARS] or "arguments"
