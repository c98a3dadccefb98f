"""Counting lines of JavaScript: what counts, and how what ran is put together."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import js_coverage

SOURCE = """/** A comment. */
import { a } from "./a.js"; // and more

const SHEET = `
.a { color: red; }
/* no comment */
`;
const ADDRESS = /https?:\\/\\/[^"/]+"/g;
/*
 * code();
 */
export function double(value) {
  if (value === null) {
    return "http://none";
  }
  return value * 2;
}
"""


def test_lines_with_code_count_and_no_others():
    counted = js_coverage.lines_of(SOURCE)
    assert list(counted) == [2, 4, 8, 12, 13, 14, 16]
    assert SOURCE[counted[14] :].startswith("return")


def test_a_files_text_is_as_long_as_javascript_says():
    for file in js_coverage.STATIC.rglob("*.js"):
        units = len(file.read_text(encoding="utf-8").encode("utf-16-le")) // 2
        name = file.relative_to(js_coverage.STATIC).as_posix()
        assert len(js_coverage.source_of(name)) == units


@pytest.mark.parametrize(
    ("address", "name"),
    [
        (
            "file:///x/realtime_widget/static/realtime_widget/views/orb.js",
            "views/orb.js",
        ),
        ("http://127.0.0.1:8000/static/realtime_widget/call.js", "call.js"),
        ("http://127.0.0.1:8000/static/realtime_widget/none.js", None),
        ("http://127.0.0.1:8000/static/site/tap-worklet.js", None),
    ],
)
def test_address_names_the_shipped_file(address, name):
    assert js_coverage.file_of(address) == name


def test_inner_ranges_are_right_about_their_part_and_runs_add_up(monkeypatch):
    monkeypatch.setattr(js_coverage, "file_of", lambda _: "a.js")
    monkeypatch.setattr(js_coverage, "source_of", lambda _: SOURCE)
    inner = SOURCE.index("{\n    return"), SOURCE.index("return value")
    reached: js_coverage.Reached = {}
    js_coverage.merge(reached, [script(inner, 0), script((0, 10_000), 1)])
    assert js_coverage.missed_lines("a.js", reached["a.js"]) == (7, [14])
    js_coverage.merge(reached, [script(inner, 3)])
    assert js_coverage.missed_lines("a.js", reached["a.js"]) == (7, [])
    assert js_coverage.missed_lines("a.js", None)[1] == [2, 4, 8, 12, 13, 14, 16]


def script(inner, count):
    """Return what V8 says of a script that ran but for one of its blocks."""
    whole = {"startOffset": 0, "endOffset": len(SOURCE), "count": 1}
    part = {"startOffset": inner[0], "endOffset": inner[1], "count": count}
    return {"url": "x", "functions": [{"ranges": [whole]}, {"ranges": [part]}]}


def test_a_file_that_nobody_loads_counts_as_missed_and_too_little_fails(tmp_path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs Node.js 20 or newer")
    module = js_coverage.STATIC / "protocol.js"
    subprocess.run(
        [node, "--input-type=module", "-e", f"await import('{module.as_uri()}')"],
        env={**os.environ, "NODE_V8_COVERAGE": str(tmp_path / "node")},
        timeout=30,
        check=True,
    )
    reached = js_coverage.gather(tmp_path)
    assert list(reached) == ["protocol.js"]
    printed, total = js_coverage.table(reached)
    assert 0 < total < 10
    assert any(line.startswith("call.js") and " 0.0 %" in line for line in printed)


def test_what_is_kept_adds_up(tmp_path: Path):
    path = tmp_path / "browser.json"
    size = len(js_coverage.source_of("protocol.js"))
    first, second = bytearray(size), bytearray(size)
    first[0], second[1] = 1, 1
    js_coverage.write(path, {"protocol.js": first, "call.js": bytearray(3)})
    js_coverage.write(path, {"protocol.js": second})
    assert json.loads(path.read_text()).keys() == {"protocol.js"}
    assert js_coverage.read(path)["protocol.js"][:3] == bytes([1, 1, 0])
