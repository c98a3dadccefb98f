"""G.711 as streams: one byte a sample at 8 kHz against PCM at 24 kHz.

The tables are computed from ITU-T G.711's formulas (as in its reference code and in
the former ``audioop`` module of Python). numpy is imported when a converter is made, so
this module can be imported without it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, Literal

from realtime_widget.protocol.audio import G711_SAMPLE_RATE_HZ, PCM16_SAMPLE_RATE_HZ

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Law = Literal["pcmu", "pcma"]

_BIAS: Final = 0x84  # mu-law's offset, in 16-bit samples
_CLIP: Final = 32_635


class G711Encoder:
    """Turns one stream of PCM at 24 kHz into G.711.

    Args:
        law: ``pcmu`` (mu-law) or ``pcma`` (A-law).

    Raises:
        ImportError: If numpy is missing.
    """

    def __init__(self, law: Law) -> None:
        from realtime_widget.engine import resample

        self._audio = resample
        self._resampler = resample.Resampler(PCM16_SAMPLE_RATE_HZ, G711_SAMPLE_RATE_HZ)
        self._table = encode_table(law)
        self._odd_byte = b""

    def feed(self, pcm: bytes) -> bytes:
        """Return G.711 for 16-bit PCM at 24 kHz of any length; lags by 2 ms."""
        pcm = self._odd_byte + pcm
        self._odd_byte = pcm[len(pcm) & ~1 :]
        samples = self._audio.pcm16_to_samples(pcm[: len(pcm) & ~1])
        return self._encode(self._resampler.feed(samples))

    def flush(self) -> bytes:
        """Return the rest of the stream and start a new one."""
        self._odd_byte = b""
        return self._encode(self._resampler.flush())

    def _encode(self, samples: NDArray[np.float32]) -> bytes:
        codes = self._audio.pcm16_codes(samples)
        return self._table[codes].tobytes()


class G711Decoder:
    """Turns one stream of G.711 into 16-bit PCM at 24 kHz.

    Args:
        law: ``pcmu`` (mu-law) or ``pcma`` (A-law).

    Raises:
        ImportError: If numpy is missing.
    """

    def __init__(self, law: Law) -> None:
        from realtime_widget.engine import resample

        self._audio = resample
        self._resampler = resample.Resampler(G711_SAMPLE_RATE_HZ, PCM16_SAMPLE_RATE_HZ)
        self._table = decode_table(law)

    def feed(self, data: bytes) -> bytes:
        """Return PCM for G.711 of any length; lags by 2 ms."""
        import numpy as np

        linear = self._table[np.frombuffer(data, np.uint8)]
        samples = linear.astype(np.float32) * np.float32(1 / 32768)
        return self._audio.samples_to_pcm16(self._resampler.feed(samples))

    def flush(self) -> bytes:
        """Return the rest of the stream and start a new one."""
        return self._audio.samples_to_pcm16(self._resampler.flush())


def pcm16_24k_to_g711(pcm: bytes, law: Law) -> bytes:
    """Convert a whole recording; see ``G711Encoder`` for streams."""
    encoder = G711Encoder(law)
    whole = encoder.feed(pcm) + encoder.flush()
    return whole[: len(pcm) // 6]


def g711_to_pcm16_24k(data: bytes, law: Law) -> bytes:
    """Convert a whole recording; see ``G711Decoder`` for streams."""
    decoder = G711Decoder(law)
    whole = decoder.feed(data) + decoder.flush()
    return whole[: len(data) * 6]


@cache
def encode_table(law: Law) -> NDArray[np.uint8]:
    """Return the byte of each 16-bit sample, indexed by the sample as unsigned."""
    import numpy as np

    encode = {"pcmu": _encode_mu, "pcma": _encode_a}[law]
    samples = (code - 65_536 if code > 32_767 else code for code in range(65_536))
    return np.fromiter((encode(sample) for sample in samples), np.uint8, 65_536)


@cache
def decode_table(law: Law) -> NDArray[np.int16]:
    """Return the 16-bit sample of each byte."""
    import numpy as np

    decode = {"pcmu": _decode_mu, "pcma": _decode_a}[law]
    return np.fromiter((decode(code) for code in range(256)), np.int16, 256)


def _encode_mu(sample: int) -> int:
    """Return the mu-law byte of a 16-bit sample, of whose bits 14 count."""
    sample >>= 2
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), _CLIP >> 2) + (_BIAS >> 2)
    segment = max(magnitude.bit_length() - 6, 0)
    mantissa = (magnitude >> (segment + 1)) & 0x0F
    return ~(sign | segment << 4 | mantissa) & 0xFF


def _decode_mu(code: int) -> int:
    code = ~code & 0xFF
    magnitude = (((code & 0x0F) << 3) + _BIAS) << ((code & 0x70) >> 4)
    return _BIAS - magnitude if code & 0x80 else magnitude - _BIAS


def _encode_a(sample: int) -> int:
    """Return the A-law byte of a 16-bit sample, of whose bits 13 count."""
    sample >>= 3
    mask = 0xD5
    if sample < 0:
        sample = -sample - 1
        mask = 0x55
    segment = max(sample.bit_length() - 5, 0)
    mantissa = (sample >> max(segment, 1)) & 0x0F
    return (segment << 4 | mantissa) ^ mask


def _decode_a(code: int) -> int:
    code ^= 0x55
    segment = (code & 0x70) >> 4
    magnitude = ((code & 0x0F) << 4) + 8
    if segment:
        magnitude = (magnitude + 0x100) << (segment - 1)
    return magnitude if code & 0x80 else -magnitude
