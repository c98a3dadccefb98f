"""A Python signature and its docstring as the JSON Schema of a tool."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.fields import FieldInfo

from realtime_widget.exceptions import BadToolArguments

SECTION = re.compile(
    r"^(Args|Arguments|Returns?|Raises|Yields|Examples?|Notes?|Attributes):\s*$"
)
ARGUMENT = re.compile(r"^(?P<name>\w+)\s*(\([^)]*\))?:\s*(?P<text>.*)$")
NAMED = (
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.KEYWORD_ONLY,
)
# How many faults of one call the model is told about.
FAULTS_TOLD = 5


def read_docstring(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """Return the description and the words for each argument.

    Args:
        function: Has a docstring in Google style, or none.
    """
    lines = inspect.cleandoc(function.__doc__ or "").splitlines()
    section, said, arguments = "", [], []
    for line in lines:
        if header := SECTION.match(line):
            section = header[1]
        elif not section:
            said.append(line.strip())
        elif section in ("Args", "Arguments"):
            arguments.append(line)
    description = re.sub(r"\n{2,}", "\n\n", "\n".join(said)).strip()
    return description, _read_arguments(arguments)


def _read_arguments(lines: list[str]) -> dict[str, str]:
    """Return name -> words from the lines below ``Args:``."""
    found: dict[str, str] = {}
    name, indent = "", None
    for line in lines:
        text = line.strip()
        if not text:
            continue
        depth = len(line) - len(line.lstrip())
        indent = depth if indent is None else indent
        match = ARGUMENT.match(text) if depth <= indent else None
        if match:
            name = match["name"]
            found[name] = match["text"]
        elif name:
            found[name] = f"{found[name]} {text}".strip()
    return found


def arguments_model(
    function: Callable[..., Any], words: Mapping[str, str]
) -> type[BaseModel]:
    """Return a pydantic model of the function's arguments without ``context``.

    Args:
        function: Its first parameter is ``context``; every other one has a type.
        words: Argument name -> description, from the docstring.

    Raises:
        ValueError: If the signature cannot be called with named JSON values.
    """
    label = f"{function.__module__}.{function.__qualname__}"
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters or parameters[0].name != "context":
        raise ValueError(f"{label}: the first parameter must be 'context'.")
    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    for parameter in parameters[1:]:
        name = parameter.name
        if parameter.kind not in NAMED:
            raise ValueError(f"{label}: parameter {name!r} cannot be given by name.")
        if name not in hints:
            raise ValueError(f"{label}: parameter {name!r} needs a type.")
        if name.startswith("_"):
            raise ValueError(f"{label}: parameter {name!r} starts with '_'.")
        required = parameter.default is parameter.empty
        fields[name] = (
            _described(hints[name], words.get(name, "")),
            ... if required else parameter.default,
        )
    config = ConfigDict(extra="forbid", protected_namespaces=())
    return create_model(function.__name__, __config__=config, **fields)


def _described(hint: Any, words: str) -> Any:
    """Return the type with the docstring's words, unless it has its own."""
    if not words:
        return hint
    if get_origin(hint) is Annotated and any(
        isinstance(extra, FieldInfo) and extra.description
        for extra in get_args(hint)[1:]
    ):
        return hint
    return Annotated[hint, Field(description=words)]


def json_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the model's JSON Schema in the plain form that models read best.

    Titles are left out and definitions are written in place, except those that
    refer to themselves.
    """
    schema = model.model_json_schema()
    definitions: dict[str, Any] = schema.pop("$defs", {})
    plain: dict[str, Any] = _plain(schema, definitions, ())
    kept = {
        name: _plain(part, definitions, (name,))
        for name, part in definitions.items()
        if f"'#/$defs/{name}'" in repr(plain)
    }
    plain.setdefault("properties", {})
    plain.pop("description", None)
    return {**plain, "$defs": kept} if kept else plain


def _plain(node: Any, definitions: Mapping[str, Any], inside: tuple[str, ...]) -> Any:
    """Return a copy without titles and with references written out."""
    if isinstance(node, list):
        return [_plain(part, definitions, inside) for part in node]
    if not isinstance(node, dict):
        return node
    name = str(node.get("$ref", "")).removeprefix("#/$defs/")
    if name in definitions and name not in inside:
        beside = {key: value for key, value in node.items() if key != "$ref"}
        return _plain({**definitions[name], **beside}, definitions, (*inside, name))
    plain: dict[str, Any] = {}
    for key, value in node.items():
        if key in ("properties", "patternProperties"):
            plain[key] = {
                field: _plain(part, definitions, inside)
                for field, part in value.items()
            }
        elif key == "title" and isinstance(value, str):
            continue
        elif key in ("default", "const", "enum", "examples"):
            plain[key] = value
        else:
            plain[key] = _plain(value, definitions, inside)
    return plain


def validated(model: type[BaseModel], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments as Python values for the function's call.

    Raises:
        BadToolArguments: With words the model can correct itself by.
    """
    try:
        instance = model.model_validate(dict(arguments))
    except ValidationError as exc:
        faults = exc.errors(include_url=False, include_input=False)
        told = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'arguments'}: {fault['msg']}"
            for fault in faults[:FAULTS_TOLD]
        )
        raise BadToolArguments(told) from exc
    return {name: getattr(instance, name) for name in model.model_fields}
