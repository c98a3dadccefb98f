"""The browser code: who imports whom, the same words as the server, no HTML from data."""

from __future__ import annotations

import dataclasses
import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage

from realtime_widget import __version__, rendering
from realtime_widget.configs import page
from realtime_widget.protocol import browser

ROOT = Path(__file__).resolve().parents[1]
STATIC = ROOT / "realtime_widget" / "static" / "realtime_widget"

# Folder -> folders it may import from; "" is the root. Every file but a worklet may
# import protocol.js, which imports nothing.
MAY_IMPORT = {
    "": {"", "views", "transports", "audio"},
    "views": {"views"},
    "transports": {"transports", "audio"},
    "audio": {"audio"},
}
PROTOCOL_FILE = "protocol.js"
SPECIFIER = re.compile(
    r"""(?:^|[;\s])(?:import|export)\b[^'"();]*?\bfrom\s*["']([^"']+)["']"""
    r"""|(?:^|[;\s])import\s*["']([^"']+)["']"""
    r"""|\bimport\(\s*["']([^"']+)["']\s*\)""",
    re.MULTILINE,
)
LAZY = re.compile(r"""\bimport\(\s*["'][^"']+["']\s*\)""")
# Sums over the files as a server sends them, each compressed by itself. What every
# page loads, and what its first conversation by voice needs beyond that.
EVERY_PAGE_BYTES = 30_000
FIRST_USE_BYTES = 35_000
# Brought by the first press of the button, or shortly before it.
FIRST_USE = (
    "announcing.js",
    "call.js",
    "audio/sound.js",
    *sorted(set(page.WORKLETS.values())),
)
COMMENT = re.compile(r"/\*.*?\*/|(?<!:)//[^\n]*", re.DOTALL)
MAKES_HTML_OR_CODE = re.compile(
    r"\b(?:innerHTML|outerHTML|insertAdjacentHTML|setHTMLUnsafe|createContextualFragment"
    r"|document\.write(?:ln)?|eval|new Function)\b"
)


class HashingStorage(ManifestStaticFilesStorage):
    """As docs/howto/deploy.md tells sites that hash the names of static files."""

    support_js_module_import_aggregation = True


def script_files() -> list[Path]:
    """Return the modules that a page may load."""
    return sorted(STATIC.rglob("*.js"))


def code_of(file: Path) -> str:
    """Return a file's text without its comments."""
    return COMMENT.sub("", file.read_text(encoding="utf-8"))


def specifiers(code: str) -> list[str]:
    """Return what a module imports, as it spells it."""
    return [next(filter(None, match.groups())) for match in SPECIFIER.finditer(code)]


def is_worklet(file: Path) -> bool:
    """Return whether the audio thread loads this file."""
    return file.parent.name == "worklets"


def folder_of(file: Path) -> str:
    """Return the file's folder under the static root, "" for the root."""
    folder = file.parent.relative_to(STATIC).as_posix()
    return "" if folder == "." else folder


def import_fault(file: Path, specifier: str) -> str:
    """Say what is wrong with an import, "" when nothing is."""
    if not specifier.startswith(("./", "../")) or not specifier.endswith(".js"):
        return "not a relative path with .js"
    target = (file.parent / specifier).resolve()
    if not target.is_relative_to(STATIC) or not target.is_file():
        return "no such file"
    if is_worklet(file) or is_worklet(target):
        return "worklets import nothing and are loaded by their address"
    if file.name == PROTOCOL_FILE:
        return "protocol.js imports nothing"
    if target == STATIC / PROTOCOL_FILE:
        return ""
    allowed = MAY_IMPORT.get(folder_of(file), set())
    return "" if folder_of(target) in allowed else "against the order of folders"


def exports_of(file: Path) -> dict[str, object]:
    """Return a module's exported data, as Node.js sees it."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs Node.js 20 or newer")
    program = f"import * as m from {json.dumps(file.as_uri())}; console.log(JSON.stringify(m))"
    done = subprocess.run(
        [node, "--input-type=module", "-e", program],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return json.loads(done.stdout)


def test_modules_import_only_what_their_folder_may() -> None:
    files = script_files()
    assert len(files) > 5
    faults = [
        f"{file.relative_to(STATIC)} imports {specifier}: {fault}"
        for file in files
        for specifier in specifiers(code_of(file))
        if (fault := import_fault(file, specifier))
    ]
    assert faults == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('import { a } from "./a.js";', ["./a.js"]),
        ('import {\n  a,\n  b,\n} from "./a.js";', ["./a.js"]),
        ('import "./a.js";', ["./a.js"]),
        ('export { a } from "./a.js";', ["./a.js"]),
        ('const a = await import("./a.js");', ["./a.js"]),
        ('const from = "x"; call(from, "./a.js");', []),
    ],
)
def test_every_way_to_import_is_seen(code: str, found: list[str]) -> None:
    assert specifiers(code) == found


@pytest.mark.parametrize(
    "specifier", ["lit", "/static/x.js", "./missing.js", "./realtime-widget"]
)
def test_wrong_specifier_is_a_fault(specifier: str) -> None:
    assert import_fault(STATIC / "realtime-widget.js", specifier)


def test_upward_import_is_a_fault() -> None:
    assert import_fault(STATIC / "views" / "x.js", "../realtime-widget.js")


def test_no_module_makes_html_or_code_from_text() -> None:
    faults = [
        f"{file.relative_to(STATIC)}: {match.group()}"
        for file in script_files()
        for match in MAKES_HTML_OR_CODE.finditer(code_of(file))
    ]
    assert faults == []


def test_protocol_js_says_what_the_server_says() -> None:
    exported = exports_of(STATIC / PROTOCOL_FILE)
    assert exported["PROTOCOL"] == browser.PROTOCOL
    assert exported["TOKEN_PREFIX"] == browser.TOKEN_PREFIX
    assert exported["GIVEN_UP"] == browser.GIVEN_UP
    assert exported["STATES"] == list(browser.STATES)
    assert exported["STOP_REASONS"] == list(browser.STOP_REASONS)
    assert exported["FROM_BROWSER"] == list(browser.FROM_BROWSER)
    assert exported["FROM_SERVER"] == list(browser.FROM_SERVER)


def test_protocol_js_has_the_servers_close_codes_and_errors() -> None:
    exported = exports_of(STATIC / PROTOCOL_FILE)
    assert exported["CLOSE_CODES"] == {
        code.name: code.value for code in browser.CloseCode
    }
    assert exported["ERRORS"] == {
        code: dataclasses.asdict(kind) for code, kind in browser.ERRORS.items()
    }


@pytest.mark.parametrize(
    "address",
    sorted(
        {
            rendering.MODULE,
            rendering.STYLES,
            page.DEFAULT_AVATAR,
            *page.WORKLETS.values(),
        }
    ),
)
def test_file_that_the_server_names_exists(address: str) -> None:
    assert (STATIC.parent / address).is_file()


def test_versions_written_in_scripts_are_the_packages() -> None:
    written = [
        (file.name, version)
        for file in script_files()
        for version in re.findall(r"""\bVERSION\s*=\s*["']([^"']+)""", code_of(file))
    ]
    assert [entry for entry in written if entry[1] != __version__] == []


def modules_from(*entries: Path) -> set[Path]:
    """Return what is loaded together with modules, before anybody does anything."""
    found: set[Path] = set()
    waiting = list(entries)
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found.add(file)
        code = LAZY.sub("", code_of(file))
        waiting += [(file.parent / name).resolve() for name in specifiers(code)]
    return found


def modules_of_a_page() -> set[Path]:
    """Return what a page loads before anybody does anything."""
    return modules_from(STATIC.parent / rendering.MODULE)


def modules_of_a_call() -> set[Path]:
    """Return what the first conversation by voice brings."""
    names = (name.removeprefix("realtime_widget/") for name in FIRST_USE)
    return modules_from(*(STATIC / name for name in names)) - modules_of_a_page()


def sent_bytes(files: set[Path]) -> int:
    """Return what a server that compresses sends of files."""
    return sum(len(gzip.compress(file.read_bytes(), 9)) for file in files)


def test_what_every_page_loads_is_small() -> None:
    page_loads = modules_of_a_page()
    assert len(page_loads) > 10
    files = (rendering.STYLES, page.DEFAULT_AVATAR)
    page_loads |= {STATIC.parent / name for name in files}
    assert sent_bytes(page_loads) <= EVERY_PAGE_BYTES


def test_what_the_first_conversation_brings_is_small() -> None:
    call_loads = modules_of_a_call()
    assert len(call_loads) > 8
    assert sent_bytes(call_loads) <= FIRST_USE_BYTES


def test_nothing_of_a_call_is_loaded_with_the_page() -> None:
    folders = {folder_of(file) for file in modules_of_a_page()}
    assert not any(folder.startswith("audio") for folder in folders)
    names = {file.name for file in modules_of_a_page()}
    assert not names & {
        "announcing.js",
        "call.js",
        "session.js",
        "websocket.js",
        "protocol.js",
    }


def test_hashed_names_hold_for_what_is_loaded_later(tmp_path: Path) -> None:
    """A storage that rewrites imports finds each of them, also ``import()``."""
    storage = HashingStorage(location=str(tmp_path), base_url="/static/")
    source = FileSystemStorage(location=str(STATIC.parent))
    paths = {}
    for file in STATIC.rglob("*"):
        if file.is_file():
            name = file.relative_to(STATIC.parent).as_posix()
            storage.save(name, ContentFile(file.read_bytes()))
            paths[name] = (source, name)
    faults = [done for *_, done in storage.post_process(paths) if done not in {0, 1}]
    assert faults == []
    later: list[str] = []
    for name, hashed in storage.hashed_files.items():
        if not name.endswith(".js"):
            continue
        file = tmp_path / hashed
        code = COMMENT.sub("", file.read_text(encoding="utf-8"))
        later += LAZY.findall(code)
        for specifier in specifiers(code):
            target = (file.parent / specifier).resolve().relative_to(tmp_path)
            assert target.as_posix() in storage.hashed_files.values(), specifier
    written = [one for file in script_files() for one in LAZY.findall(code_of(file))]
    assert len(later) == len(written) > 5


def test_parts_for_some_pages_only_are_not_loaded_by_every_page() -> None:
    optional = set(script_files()) - modules_of_a_page()
    names = {file.relative_to(STATIC).as_posix() for file in optional}
    assert {"deep-chat.js", "views/classic.js"} <= names
