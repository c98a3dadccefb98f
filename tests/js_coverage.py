"""Which lines of the browser code the tests reach: what V8 counted, file by file.

Node.js writes it with ``NODE_V8_COVERAGE``; the browser tests take it from Chromium,
see ``tests/e2e/coverage.py``. Both give for every function what parts of it ran, as
offsets into the file that is shipped. Both are put together here::

    python -m tests.js_coverage FOLDER [--least 90]

A line counts when there is code on it: not a comment, a bracket alone, or the inside of
a text of many lines (the style sheets). It is reached when its first letter ran.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
STATIC = ROOT / "realtime_widget" / "static" / "realtime_widget"
ADDRESS = re.compile(r"/realtime_widget/static/realtime_widget/(.+\.js)$")
SERVED = re.compile(r"/static/realtime_widget/(.+\.js)(?:\?.*)?$")
# Comments and texts; a pattern (`/.../`) stands where a value may stand.
TOKEN = re.compile(
    r"(?P<comment>/\*.*?\*/|//[^\n]*)"
    r"|(?P<text>\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)"
    r"|(?<=[=(,:\[!&|?{};\n])(?P<blank>\s*)/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/",
    re.DOTALL,
)
CODE = re.compile(r"[^\s{}()\[\];,]")

Reached = dict[str, bytearray]


def merge(reached: Reached, scripts: Iterable[dict[str, Any]]) -> None:
    """Add what V8 says of scripts, in the form of ``takePreciseCoverage``."""
    for script in scripts:
        name = file_of(script["url"])
        if name is None:
            continue
        ran = _ran(script["functions"], len(source_of(name)))
        if ran is None:
            continue
        before = reached.get(name)
        reached[name] = ran if before is None else _either(before, ran)


def file_of(address: str) -> str | None:
    """Return the shipped file of an address, None when it is another's."""
    found = ADDRESS.search(address) or SERVED.search(address)
    return found[1] if found and (STATIC / found[1]).is_file() else None


def source_of(name: str) -> str:
    """Return the text of a shipped file, as long as JavaScript takes it for."""
    text = (STATIC / name).read_text(encoding="utf-8")
    return re.sub("[\U00010000-\U0010ffff]", "xx", text)


def _ran(functions: list[dict[str, Any]], length: int) -> bytearray | None:
    """Return a byte for every letter: 1 where it ran; None for another file's text.

    Inner ranges come after the outer ones and are right about their part.
    """
    ran = bytearray(length)
    ranges = [part for function in functions for part in function["ranges"]]
    if not ranges or max(part["endOffset"] for part in ranges) > length:
        return None
    for part in ranges:
        start, end = part["startOffset"], part["endOffset"]
        ran[start:end] = bytes([part["count"] > 0]) * (end - start)
    return ran


def _either(one: bytearray, other: bytearray) -> bytearray:
    both = int.from_bytes(one, "big") | int.from_bytes(other, "big")
    return bytearray(both.to_bytes(len(one), "big"))


def lines_of(source: str) -> dict[int, int]:
    """Return the lines that count, by number from 1, and where their code begins."""
    bare = TOKEN.sub(_blanked, source)
    lines, at = {}, 0
    for number, line in enumerate(bare.split("\n"), 1):
        if found := CODE.search(line):
            lines[number] = at + found.start()
        at += len(line) + 1
    return lines


def _blanked(match: re.Match[str]) -> str:
    """Blank out a comment; of a text keep the first line only."""
    token = match[0]
    if match["comment"] is not None:
        return re.sub(r"[^\n]", " ", token)
    first, *rest = token.split("\n")
    return "\n".join(["x" * len(first), *(" " * len(line) for line in rest)])


def missed_lines(name: str, ran: bytearray | None) -> tuple[int, list[int]]:
    """Return how many lines of a file count, and which of them were not reached."""
    lines = lines_of(source_of(name))
    missed = [number for number, at in lines.items() if ran is None or not ran[at]]
    return len(lines), missed


def write(path: Path, reached: Reached) -> None:
    """Keep what was reached; adds to what is there."""
    if path.exists():
        for name, ran in read(path).items():
            reached[name] = _either(reached[name], ran) if name in reached else ran
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({name: ran.hex() for name, ran in reached.items()}))


def read(path: Path) -> Reached:
    """Return what was kept; files that have changed since are left out."""
    kept = {
        name: bytearray.fromhex(ran)
        for name, ran in json.loads(path.read_text()).items()
    }
    return {name: ran for name, ran in kept.items() if len(ran) == len(source_of(name))}


def gather(folder: Path) -> Reached:
    """Return what Node.js and the browser reached together."""
    reached: Reached = {}
    for path in sorted((folder / "node").glob("*.json")):
        merge(reached, json.loads(path.read_text())["result"])
    browser = folder / "browser.json"
    for name, ran in (read(browser) if browser.exists() else {}).items():
        reached[name] = _either(reached[name], ran) if name in reached else ran
    return reached


def table(reached: Reached) -> tuple[list[str], float]:
    """Return the lines to print and the share of lines that were reached, in percent."""
    printed, count, missed_count = [], 0, 0
    for file in sorted(STATIC.rglob("*.js")):
        name = file.relative_to(STATIC).as_posix()
        lines, missed = missed_lines(name, reached.get(name))
        count, missed_count = count + lines, missed_count + len(missed)
        share = 100 * (1 - len(missed) / lines)
        printed.append(f"{name:40} {lines:5} {share:6.1f} %  {_spans(missed)}".rstrip())
    total = 100 * (1 - missed_count / count)
    return [*printed, f"{'all':40} {count:5} {total:6.1f} %"], total


def _spans(numbers: list[int]) -> str:
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in spans)


def main() -> int:
    """Print the table; return 1 when too little was reached."""
    parser = argparse.ArgumentParser(description="Lines of the browser code that ran.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--least", type=float, default=0.0, help="percent")
    options = parser.parse_args()
    printed, total = table(gather(options.folder))
    print("\n".join(printed))
    if total < options.least:
        print(f"{total:.1f} % is less than {options.least:g} %")
    return int(total < options.least)


if __name__ == "__main__":
    sys.exit(main())
