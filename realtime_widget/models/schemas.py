"""JSON Schema of a tool's arguments: the part that models accept.

A full validator would take schemas that a provider then refuses in the middle of
a visitor's call; this one refuses them in the form, and says where.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

MAX_DEPTH: Final = 8
MAX_NODES: Final = 500
TYPES: Final = ("object", "array", "string", "number", "integer", "boolean", "null")

Problem = tuple[Any, dict[str, Any]]


def validate_parameters(value: Any) -> None:
    """Refuse a schema that a model could not be given, with the place of the fault."""
    if value is None or value == {}:
        return
    if not isinstance(value, Mapping) or value.get("type") != "object":
        raise ValidationError(
            _("Enter a JSON Schema whose type is “object”, or leave this empty."),
            code="schema_object",
        )
    _Walk(value).check(value, "", 1)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_pattern(value: Any) -> bool:
    try:
        re.compile(value)
    except (TypeError, re.error):
        return False
    return True


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_type(value: Any) -> bool:
    names = value if isinstance(value, list) else [value]
    return bool(names) and all(isinstance(n, str) and n in TYPES for n in names)


# Keyword -> whether its value is well formed. Keywords that hold schemas are walked.
KEYWORDS: Final[dict[str, Callable[[Any], bool]]] = {
    "type": _is_type,
    "title": _is_text,
    "description": _is_text,
    "format": _is_text,
    "pattern": _is_pattern,
    "enum": lambda value: isinstance(value, list) and bool(value),
    "const": lambda _value: True,
    "default": lambda _value: True,
    "examples": lambda value: isinstance(value, list),
    "required": _is_names,
    "minimum": _is_number,
    "maximum": _is_number,
    "exclusiveMinimum": _is_number,
    "exclusiveMaximum": _is_number,
    "multipleOf": lambda value: _is_number(value) and value > 0,
    "minLength": _is_count,
    "maxLength": _is_count,
    "minItems": _is_count,
    "maxItems": _is_count,
    "uniqueItems": lambda value: isinstance(value, bool),
    "$ref": lambda value: _is_text(value) and value.startswith("#/$defs/"),
    "properties": lambda value: isinstance(value, Mapping),
    "$defs": lambda value: isinstance(value, Mapping),
    "items": lambda value: isinstance(value, Mapping),
    "additionalProperties": lambda value: isinstance(value, bool | Mapping),
    "anyOf": lambda value: isinstance(value, list) and bool(value),
    "oneOf": lambda value: isinstance(value, list) and bool(value),
    "allOf": lambda value: isinstance(value, list) and bool(value),
}


class _Walk:
    """One walk over one schema."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        definitions = root.get("$defs")
        self._definitions = (
            set(definitions) if isinstance(definitions, Mapping) else set()
        )
        self._nodes = 0

    def check(self, schema: Any, path: str, depth: int) -> None:
        """Refuse the schema at ``path`` and everything below it."""
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            raise ValidationError(
                _("This schema is too deep or too large."), code="schema_size"
            )
        if not isinstance(schema, Mapping):
            raise _fault(path, _("must be an object"))
        for keyword, value in schema.items():
            if keyword not in KEYWORDS:
                raise _fault(
                    path, _("“%(detail)s” is not a keyword that models accept"), keyword
                )
            if not KEYWORDS[keyword](value):
                raise _fault(
                    path, _("“%(detail)s” has a value of the wrong kind"), keyword
                )
        self._check_names(schema, path)
        for name, child in _children(schema):
            self.check(child, f"{path}.{name}" if path else name, depth + 1)

    def _check_names(self, schema: Mapping[str, Any], path: str) -> None:
        properties = schema.get("properties", {})
        for name in schema.get("required", ()):
            if name not in properties:
                raise _fault(
                    path, _("“%(detail)s” is required but not described"), name
                )
        reference = str(schema.get("$ref", "")).removeprefix("#/$defs/")
        if reference and reference not in self._definitions:
            raise _fault(
                path, _("“%(detail)s” is referred to but not defined"), reference
            )


def _children(schema: Mapping[str, Any]) -> list[tuple[str, Any]]:
    children = list(schema.get("properties", {}).items())
    children += list(schema.get("$defs", {}).items())
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), Mapping):
            children.append((keyword, schema[keyword]))
    for keyword in ("anyOf", "oneOf", "allOf"):
        children += [
            (f"{keyword}[{i}]", s) for i, s in enumerate(schema.get(keyword, ()))
        ]
    return children


def _fault(path: str, reason: Any, detail: str = "") -> ValidationError:
    return ValidationError(
        _("In the schema at “%(path)s”: %(reason)s."),
        code="schema",
        params={"path": path or "/", "reason": reason % {"detail": detail[:60]}},
    )
