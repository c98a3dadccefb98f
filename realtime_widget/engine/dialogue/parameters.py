"""What a tool's JSON Schema says about each parameter, as far as rules need it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from realtime_widget.engine.dialogue.words import split_words, stem, word_list

Kind = Literal[
    "enum",
    "boolean",
    "integer",
    "number",
    "date",
    "time",
    "datetime",
    "weekday",
    "email",
    "phone",
    "id",
    "place",
    "name",
    "text",
    "other",
]

_FORMATS: Final[dict[str, Kind]] = {
    "date": "date",
    "time": "time",
    "date-time": "datetime",
    "email": "email",
}
# The last word of a parameter's name that tells its kind comes first in this order.
_NAME_KINDS: Final[tuple[tuple[Kind, frozenset[str]], ...]] = (
    ("email", frozenset({"email", "mail"})),
    ("phone", frozenset({"phone", "telephone", "mobile", "cell"})),
    ("datetime", frozenset({"datetime", "when", "slot"})),
    ("time", frozenset({"time", "hour"})),
    ("date", frozenset({"date"})),
    ("weekday", frozenset({"day", "weekday"})),
    (
        "place",
        frozenset({"city", "place", "location", "country", "town", "area", "region"}),
    ),
    (
        "id",
        frozenset(
            word_list("""id number reference ref code no num zip postcode
            tracking order booking ticket invoice""")
        ),
    ),
    (
        "name",
        frozenset({"name", "customer", "person", "firstname", "lastname", "fullname"}),
    ),
)
_EXAMPLE = re.compile(
    r"(?:such as|for example|e\.g\.|like|for instance|one of)[:\s]+(.+)", re.IGNORECASE
)
_SHAPE = re.compile(r"\b([A-Z]{1,4})(-?)\d{2,}\b")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a tool.

    Attributes:
        name: Its name in the schema.
        kind: What it wants.
        words: Its name in words ("order number").
        description: The schema's words about it.
        required: Whether a call without it is no use.
        options: Values of an ``enum``.
        pattern: Regular expression the value must match, "" for any.
        iso_time: Whether a time needs its seconds (JSON Schema ``time``).
    """

    name: str
    kind: Kind
    words: str
    description: str
    required: bool
    options: tuple[Any, ...] = ()
    pattern: str = ""
    iso_time: bool = False

    def accepts(self, value: object) -> bool:
        """Return whether a text fits the pattern; other values always do."""
        if not self.pattern or not isinstance(value, str):
            return True
        try:
            return re.search(self.pattern, value) is not None
        except re.error:
            return True

    def examples(self) -> list[str]:
        """Return the values its description gives as examples."""
        match = _EXAMPLE.search(self.description)
        if not match:
            return []
        parts = re.split(r",|;|\bor\b|\band\b", match[1].rstrip(". )"))
        return [part.strip(" '\"“”`.") for part in parts if part.strip(" '\"“”`.")]

    def id_prefix(self) -> tuple[str, str]:
        """Return letters and separator of ids as the description shows them."""
        match = _SHAPE.search(self.description)
        return (match[1], match[2]) if match else ("", "")


def parameters_of(tool: Mapping[str, Any]) -> list[Parameter]:
    """Return a tool's parameters in the schema's order."""
    schema = tool.get("parameters") or {}
    properties = schema.get("properties") or {}
    required = set(schema.get("required") or ())
    definitions = schema.get("$defs") or schema.get("definitions") or {}
    return [
        _parameter(name, _resolved(declared, definitions), name in required)
        for name, declared in properties.items()
        if isinstance(declared, Mapping)
    ]


def _parameter(name: str, schema: Mapping[str, Any], required: bool) -> Parameter:  # noqa: FBT001
    words = " ".join(split_words(name)).lower()
    description = str(schema.get("description") or "")
    options = tuple(schema.get("enum") or ())
    if "const" in schema:
        options = (schema["const"],)
    return Parameter(
        name=name,
        kind="enum" if options else _kind(schema, words, description),
        words=words or name,
        description=description,
        required=required and "default" not in schema,
        options=options,
        pattern=str(schema.get("pattern") or ""),
        iso_time=schema.get("format") == "time",
    )


def _kind(schema: Mapping[str, Any], words: str, description: str) -> Kind:
    kind = schema.get("type", "string")
    if kind in ("boolean", "integer", "number"):
        return "boolean" if kind == "boolean" else _numeric(kind)
    if kind != "string":
        return "other"
    known = _FORMATS.get(str(schema.get("format") or ""))
    if known:
        return known
    names = {stem(word) for word in words.split()} | set(words.split())
    for candidate, markers in _NAME_KINDS:
        if names & markers:
            return _refined(candidate, description)
    if _SHAPE.search(description):
        return "id"
    return "text"


def _numeric(kind: str) -> Kind:
    return "integer" if kind == "integer" else "number"


def _refined(kind: Kind, description: str) -> Kind:
    """Return the kind with what the description adds: "the day, YYYY-MM-DD"."""
    if kind == "weekday" and re.search(
        r"\bISO\b|YYYY|\bdate\b|\d{4}-\d\d-\d\d", description
    ):
        return "date"
    return kind


def _resolved(
    schema: Mapping[str, Any], definitions: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return a schema with its ``$ref``, its nullable ``anyOf`` and types taken in."""
    if "$ref" in schema:
        target = definitions.get(str(schema["$ref"]).rpartition("/")[2], {})
        schema = {**target, **{k: v for k, v in schema.items() if k != "$ref"}}
    for key in ("anyOf", "oneOf", "allOf"):
        for variant in schema.get(key) or ():
            resolved = (
                _resolved(variant, definitions) if isinstance(variant, Mapping) else {}
            )
            if resolved and resolved.get("type") != "null":
                schema = {**resolved, **{k: v for k, v in schema.items() if k != key}}
                break
    kind = schema.get("type")
    if isinstance(kind, list):
        kinds = [one for one in kind if one != "null"]
        schema = {**schema, "type": kinds[0] if kinds else "string"}
    return schema
