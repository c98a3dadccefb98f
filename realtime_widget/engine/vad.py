"""Find speech with the Silero model, frame by frame, through onnxruntime.

Source: Silero VAD v6 as faster-whisper ships it (MIT). Its graph takes 576 samples at
16 kHz, the last 64 of the frame before and 512 new ones, and carries an LSTM state.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from realtime_widget.engine.resample import Resampler, Samples, pcm16_to_samples
from realtime_widget.engine.weights import find_silero
from realtime_widget.protocol.audio import PCM16_SAMPLE_RATE_HZ

_MODEL_HZ: Final = 16_000
_FRAME_SAMPLES: Final = 512
_CONTEXT_SAMPLES: Final = 64
_STATE_SHAPE: Final = (1, 1, 128)


class SileroVad:
    """Judges one stream; the model itself is shared by all streams.

    One frame costs about 0.15 ms, so it may run on the event loop.

    Raises:
        EngineUnavailable: If the model is missing or altered.
        ImportError: If onnxruntime is missing.
    """

    def __init__(self) -> None:
        self._session = load_session(find_silero()[0])
        self._resampler = Resampler(PCM16_SAMPLE_RATE_HZ, _MODEL_HZ)
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        self._resampler.reset()
        self._odd_byte = b""
        self._heard: Samples = np.zeros(_CONTEXT_SAMPLES, np.float32)
        self._h: Samples = np.zeros(_STATE_SHAPE, np.float32)
        self._c: Samples = np.zeros(_STATE_SHAPE, np.float32)

    def feed(self, pcm: bytes) -> list[float]:
        """Return the probability of speech of each 32 ms frame that is now full.

        Args:
            pcm: 16-bit little-endian mono PCM at 24 kHz, any length.
        """
        if self._odd_byte or len(pcm) % 2:
            pcm = self._odd_byte + pcm
            self._odd_byte = pcm[len(pcm) & ~1 :]
            pcm = pcm[: len(pcm) & ~1]
        new = self._resampler.feed(pcm16_to_samples(pcm))
        heard = np.concatenate((self._heard, new))
        frames = (len(heard) - _CONTEXT_SAMPLES) // _FRAME_SAMPLES
        self._heard = heard[frames * _FRAME_SAMPLES :]
        if not frames:
            return []
        windows = np.lib.stride_tricks.sliding_window_view(
            heard, _CONTEXT_SAMPLES + _FRAME_SAMPLES
        )[::_FRAME_SAMPLES][:frames]
        probabilities, self._h, self._c = self._session.run(
            None,
            {"input": np.ascontiguousarray(windows), "h": self._h, "c": self._c},
        )
        return [float(p) for p in probabilities.reshape(-1)]


@cache
def load_session(path: Path) -> Any:
    """Return the onnxruntime session of a checked model file, one a process.

    One thread without spinning: a frame is too small to share, and a waiting thread
    that spins would take the core away from the bridge.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"]
    )
