"""What a test needs that may not be installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable

import pytest

from realtime_widget.engine.weights import PIECE_PACKAGES

_LOCAL_EXTRA = ("numpy", "onnxruntime", "faster_whisper", "hibari")


def _missing(names: Iterable[str]) -> list[str]:
    return [name for name in names if importlib.util.find_spec(name) is None]


# For a module's ``pytestmark``.
needs_speech = [
    pytest.mark.speech,
    pytest.mark.skipif(
        bool(_missing(_LOCAL_EXTRA)),
        reason=f"the [local] extra is not installed: {', '.join(_missing(_LOCAL_EXTRA))}",
    ),
]
_LANGUAGES_EXTRA = (*_LOCAL_EXTRA, *PIECE_PACKAGES)
needs_languages = pytest.mark.skipif(
    bool(_missing(_LANGUAGES_EXTRA)),
    reason="the [local-languages] extra is not installed: "
    + ", ".join(_missing(_LANGUAGES_EXTRA)),
)
needs_numpy = pytest.mark.skipif(
    bool(_missing(["numpy"])), reason="the [local] extra is not installed: numpy"
)
