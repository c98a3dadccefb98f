from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def stt():
    """The default recognition, loaded once for all tests."""
    from realtime_widget.engine.stt import load_whisper

    return load_whisper()


@pytest.fixture(scope="session")
def tts():
    """The default voice, loaded once for all tests."""
    from realtime_widget.engine.tts import load_hibari

    return load_hibari()
