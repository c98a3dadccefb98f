"""What `pip install` brings: everything the app needs, nothing of the repository's own."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from email.message import Message
from email.parser import Parser
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from realtime_widget import __version__

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "realtime_widget"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """Build the wheel as a release would, with what is installed."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=120,
    )
    (file,) = folder.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        yield archive


@pytest.fixture
def metadata(wheel: zipfile.ZipFile) -> Message:
    """Return the wheel's METADATA."""
    (name,) = (n for n in wheel.namelist() if n.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel.read(name).decode())


def project() -> dict[str, object]:
    """Return the [project] table."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["project"]


def shipped(wheel: zipfile.ZipFile) -> set[str]:
    """Return the wheel's files without its own description."""
    return {name for name in wheel.namelist() if ".dist-info/" not in name}


def test_wheel_holds_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    written = {
        file.relative_to(ROOT).as_posix()
        for file in PACKAGE.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert written - shipped(wheel) == set()


@pytest.mark.parametrize(
    "pattern",
    [
        r"realtime_widget/py\.typed",
        r"realtime_widget/static/realtime_widget/realtime-widget\.js",
        r"realtime_widget/static/realtime_widget/.*worklets/\w+\.js",
        r"realtime_widget/static/realtime_widget/.*\.svg",
        r"realtime_widget/templates/.*\.html",
        r"realtime_widget/migrations/0001_initial\.py",
        r"realtime_widget/locale/.*/LC_MESSAGES/django\.mo",
        r"realtime_widget/management/commands/realtime_engine\.py",
        r"realtime_widget/templatetags/realtime_widget\.py",
    ],
)
def test_wheel_holds(wheel: zipfile.ZipFile, pattern: str) -> None:
    assert [name for name in shipped(wheel) if re.fullmatch(pattern, name)]


def test_wheel_holds_nothing_but_the_package(wheel: zipfile.ZipFile) -> None:
    assert {name.partition("/")[0] for name in shipped(wheel)} == {"realtime_widget"}
    assert [
        name for name in shipped(wheel) if "/tests/" in name or ".pyc" in name
    ] == []


def test_wheel_holds_no_weights(wheel: zipfile.ZipFile) -> None:
    heavy = [i.filename for i in wheel.infolist() if i.file_size > 512 * 1024]
    assert heavy == []


def test_version_is_written_once(metadata: Message) -> None:
    assert metadata["Version"] == __version__
    assert "version" in project()["dynamic"]


def test_description_names_licence_and_pythons(metadata: Message) -> None:
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert metadata["Requires-Python"] == ">=3.11"
    assert "## Put it on your own site" in metadata.get_payload()


def requirements() -> dict[str, Requirement]:
    """Return what a plain installation brings, by name."""
    texts = project()["dependencies"]
    return {requirement.name: requirement for requirement in map(Requirement, texts)}


def test_daphne_that_leaks_slow_readers_is_refused() -> None:
    specifier = requirements()["daphne"].specifier
    assert "4.2.2" not in specifier
    assert "4.2.3" in specifier
    assert Version(version("daphne")) >= Version("4.2.3")


@pytest.mark.parametrize(
    "name", ["django", "channels", "websockets", "httpx", "pydantic"]
)
def test_installed_version_is_in_the_range(name: str) -> None:
    assert version(name) in requirements()[name].specifier


# What the package imports -> the requirement that brings it.
BROUGHT_BY = {
    "PIL": "pillow",
    "asgiref": "django",
    "channels": "channels",
    "cryptography": "cryptography",
    "ctranslate2": "faster-whisper",
    "django": "django",
    "faster_whisper": "faster-whisper",
    "h11": "h11",
    "hibari": "hibari-tts",
    "httpx": "httpx",
    "nh3": "nh3",
    "numpy": "numpy",
    "onnxruntime": "onnxruntime",
    "picows": "picows",
    "pydantic": "pydantic",
    "pydantic_core": "pydantic",
    "websockets": "websockets",
    "prometheus_client": "prometheus-client",
    "yaml": "pyyaml",
}
# Only who writes Jinja2 templates, or has OpenTelemetry's API, imports these.
IMPORTED_BY_CHOICE = {
    "jinja2": {PACKAGE / "jinja.py"},
    "opentelemetry": {PACKAGE / "spans.py"},
}


def third_party_imports() -> dict[str, set[Path]]:
    """Return the packages of others that ours imports, and where."""
    found: dict[str, set[Path]] = {}
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for name in {name.partition(".")[0] for name in names}:
                if name not in sys.stdlib_module_names and name != PACKAGE.name:
                    found.setdefault(name, set()).add(file)
    return found


def test_everything_imported_is_a_requirement() -> None:
    extras = project()["optional-dependencies"].values()
    declared = {*requirements(), *(Requirement(t).name for e in extras for t in e)}
    imports = third_party_imports()
    chosen = {name: imports.pop(name, set()) for name in IMPORTED_BY_CHOICE}
    assert {BROUGHT_BY.get(name, f"undeclared {name}") for name in imports} <= declared
    assert chosen == IMPORTED_BY_CHOICE


@pytest.mark.parametrize("file", sorted((ROOT / "requirements").glob("*.txt")))
def test_lock_files_pin_by_hash_and_name_no_place(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    pins = [line for line in text.splitlines() if re.match(r"[A-Za-z0-9]", line)]
    assert pins
    assert [line for line in pins if "==" not in line] == []
    assert text.count("--hash=sha256:") >= len(pins)
    assert re.search(r"https?:|file:|--index|--find-links|\s/\w", text) is None


def test_browser_tools_lock_names_no_place() -> None:
    text = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in text
    assert text.count('"integrity"') == text.count('"node_modules/')
