"""A style sheet of an editor: what reaches a page, and what is named and refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ValidationError

from realtime_widget.models.stylesheets import (
    MAX_SHEET_CHARS,
    refused_parts,
    safe_stylesheet,
    validate_stylesheet,
)

RIPPLE = Path(__file__).resolve().parents[1] / "data" / "deep_chat" / "ripple.css"


def test_sheet_with_keyframes_comes_through_whole():
    css = RIPPLE.read_text()
    validate_stylesheet(css)
    safe = safe_stylesheet(css)
    assert "@keyframes lds-ripple { 0%, 4.9% { top: 36px; " in safe
    assert ".lds-ripple, .lds-ripple div { box-sizing: border-box }" in safe
    assert "animation: lds-ripple 1s cubic-bezier(0, 0.2, 0.8, 1) infinite" in safe
    assert safe_stylesheet(safe) == safe


@pytest.mark.parametrize(
    ("css", "safe"),
    [
        ('@import "https://far.example/x.css"; .a { color: red }', ".a { color: red }"),
        (".a { background: url(https://far.example/) }", ""),
        (".a { background: u\\72l(x); color: red }", ".a { color: red }"),
        (".a { behavior: none; color: red }", ".a { color: red }"),
        (".a { position: fixed; color: red }", ".a { color: red }"),
        ("@media print { .a { color: red } } .b { color: blue }", ".b { color: blue }"),
        ("@font-face { font-family: x; src: url(x) } .b { color: blue }", ".b { color: blue }"),
        (".a { .b { color: red } color: blue }", ".a { color: blue }"),
        ("</style><script> { color: red } .b { color: blue }", ".b { color: blue }"),
        (".a { color: red } } .b { color: blue }", ".a { color: red }\n.b { color: blue }"),
        ("@keyframes x { from { top: url(x) } to { top: 0 } }", "@keyframes x { to { top: 0 } }"),
        ("@keyframes x { .a { top: 0 } }", ""),
        (".a { color: /* url( */ red; color: blue; content: attr(x) }", ".a { color: red; color: blue }"),
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_left_out_and_named(css, safe):
    assert safe_stylesheet(css) == safe
    assert refused_parts(css)
    with pytest.raises(ValidationError, match="Not allowed here"):
        validate_stylesheet(css)


def test_rule_without_its_end_is_left_out():
    assert safe_stylesheet(".a { color: red") == ".a { color: red }"
    assert safe_stylesheet(".a") == ""
    assert refused_parts(".a") == ["“.a”"]


def test_very_long_sheet_and_other_things_are_refused():
    assert safe_stylesheet("x" * (MAX_SHEET_CHARS + 1)) == ""
    assert safe_stylesheet(None) == ""
    with pytest.raises(ValidationError, match="20,000"):
        validate_stylesheet(" " * (MAX_SHEET_CHARS + 1))
