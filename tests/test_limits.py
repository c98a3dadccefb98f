"""The size a file and a function may have, so that none grows unseen."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILE_LINES = 500
TEST_FILE_LINES = 800
FUNCTION_LINES = 60
POSITIONAL_PARAMETERS = 5
SOURCES = ("realtime_widget", "demo_site", "bench")

# "path" or "path:function" -> its size today. The lists may only get shorter and the
# sizes smaller: a file that has become small enough fails until it leaves the list.
LONG_FILES: dict[str, int] = {}
LONG_FUNCTIONS: dict[str, int] = {}


def source_files(*folders: str, suffix: str) -> Iterator[Path]:
    """Yield the files that people write, not those that tools do."""
    for folder in folders:
        for file in sorted((ROOT / folder).rglob(f"*{suffix}")):
            if "migrations" not in file.parts and "node_modules" not in file.parts:
                yield file


def line_count(file: Path) -> int:
    """Return how many lines a file has."""
    return len(file.read_text(encoding="utf-8").splitlines())


def short(file: Path) -> str:
    """Return a file's path as the lists above spell it."""
    return file.relative_to(ROOT).as_posix()


def over(sizes: dict[str, int], limit: int) -> dict[str, int]:
    """Keep what is larger than the limit."""
    return {name: size for name, size in sizes.items() if size > limit}


def python_functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function of a file, methods and nested ones too."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def javascript_function_sizes(text: str) -> dict[str, int]:
    """Return the lines of each function and method of formatted JavaScript.

    The formatter puts the closing brace at the indentation of the line that opened
    the function, so that line and the next such brace are its two ends.
    """
    sizes: dict[str, int] = {}
    lines = text.splitlines()
    opening = re.compile(
        r"^(?P<indent> *)(?=[^\s}])(?!(?:if|for|while|switch|do|try|class)\b)"
        r"(?P<name>[^/*]*?(?:\)|=>)) \{$"
    )
    for start, line in enumerate(lines):
        match = opening.match(line)
        if match is None:
            continue
        closing = match["indent"] + "}"
        end = next(
            (
                at
                for at in range(start + 1, len(lines))
                if lines[at].startswith(closing)
            ),
            len(lines) - 1,
        )
        sizes[match["name"].strip()] = end - start + 1
    return sizes


def test_files_are_short() -> None:
    sizes = {
        short(file): line_count(file)
        for suffix in (".py", ".js", ".css")
        for file in source_files(*SOURCES, "static", suffix=suffix)
    }
    assert len(sizes) > 20
    assert over(sizes, FILE_LINES) == LONG_FILES


def test_test_files_are_short() -> None:
    sizes = {
        short(file): line_count(file)
        for suffix in (".py", ".js")
        for file in source_files("tests", suffix=suffix)
    }
    assert over(sizes, TEST_FILE_LINES) == {}


def test_python_functions_are_short() -> None:
    sizes = {
        f"{short(file)}:{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for file in source_files(*SOURCES, "tests", suffix=".py")
        for node in python_functions(file)
    }
    assert over(sizes, FUNCTION_LINES) == LONG_FUNCTIONS


def test_javascript_functions_are_short() -> None:
    sizes = {
        f"{short(file)}:{name}": size
        for file in source_files("realtime_widget/static", suffix=".js")
        for name, size in javascript_function_sizes(file.read_text("utf-8")).items()
    }
    assert sizes
    assert over(sizes, FUNCTION_LINES) == {}


def test_javascript_function_over_the_limit_is_found() -> None:
    body = "\n".join(["    step();"] * FUNCTION_LINES)
    text = f"class A {{\n  async run(now, {{ later }}) {{\n{body}\n  }}\n}}\n"
    assert list(javascript_function_sizes(text).values()) == [FUNCTION_LINES + 2]


def test_javascript_statement_is_no_function() -> None:
    text = "  if (a) {\n    b();\n  } else if (c) {\n    d();\n  }\n}\n"
    assert javascript_function_sizes(text) == {}


def test_functions_take_few_positional_parameters() -> None:
    crowded = {}
    for file in source_files(*SOURCES, suffix=".py"):
        for node in python_functions(file):
            names = [arg.arg for arg in (*node.args.posonlyargs, *node.args.args)]
            count = len([name for name in names if name not in ("self", "cls")])
            crowded[f"{short(file)}:{node.name}"] = count
    assert over(crowded, POSITIONAL_PARAMETERS) == {}
