"""Scenario files: YAML, JSON, TOML or Python."""

from __future__ import annotations

import json
import runpy
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from realtime_widget.engine.scenario.reading import read_scenario
from realtime_widget.engine.scenario.script import Scenario, ScenarioError

# What a Python file has to define.
PYTHON_NAME: Final = "SCENARIO"
Keys = tuple[str | int, ...]


def load_scenario(path: str | Path) -> Scenario:
    """Read a scenario file.

    Args:
        path: The file; its suffix says what it is. A Python file is run, and defines
            ``SCENARIO``. YAML needs the package PyYAML.

    Raises:
        ValueError: If it cannot be read or says something wrong; the message names
            the file, in YAML the line, and what would be right.
    """
    path = Path(path)
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise ValueError(f"{path}: a scenario ends in {', '.join(_READERS)}.")
    try:
        data = read(path)
    except OSError as exc:
        raise ValueError(f"{path}: {exc.strerror}.") from exc
    except ModuleNotFoundError as exc:
        if exc.name != "yaml":
            raise
        raise ValueError(
            f"{path}: YAML needs the extra scenario (pip install pyyaml); JSON, TOML and Python do"
            " not."
        ) from exc
    except ValueError as exc:
        raise ValueError(f"{path}: {exc}") from exc
    try:
        return read_scenario(data)
    except ScenarioError as exc:
        line = _yaml_line(path, exc.path) if path.suffix in _YAML else None
        where = f"{path}:{line}" if line else str(path)
        raise ValueError(f"{where}: {exc}") from exc


def _read_json(path: Path) -> Any:
    return json.loads(path.read_bytes())


def _read_toml(path: Path) -> Any:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _read_python(path: Path) -> Any:
    names = runpy.run_path(str(path))
    if PYTHON_NAME not in names:
        raise ValueError(f"it has to define {PYTHON_NAME}.")
    return names[PYTHON_NAME]


def _read_yaml(path: Path) -> Any:
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as exc:
        raise ValueError(str(exc)) from exc


def _yaml_line(path: Path, keys: Keys) -> int:
    """Return the line of the innermost place that a path of keys leads to."""
    import yaml

    node = yaml.compose(path.read_text(encoding="utf-8"))
    line = 0 if node is None else node.start_mark.line
    for key in keys:
        if isinstance(node, yaml.SequenceNode) and isinstance(key, int):
            node = node.value[key]
            line = node.start_mark.line
            continue
        pairs = node.value if isinstance(node, yaml.MappingNode) else ()
        found = next((pair for pair in pairs if pair[0].value == str(key)), None)
        if found is None:
            break
        line, node = found[0].start_mark.line, found[1]
    return int(line) + 1


_YAML: Final = (".yaml", ".yml")
_READERS: Final[Mapping[str, Callable[[Path], Any]]] = {
    ".yaml": _read_yaml,
    ".yml": _read_yaml,
    ".json": _read_json,
    ".toml": _read_toml,
    ".py": _read_python,
}
