"""Events of the Realtime API (GA) and their builders.

Source: Realtime API reference, client and server events.
"""

from __future__ import annotations

from binascii import b2a_base64


def append_audio(audio: bytes) -> bytes:
    """Return an ``input_audio_buffer.append`` event, encoded. HOT: no JSON encoder.

    Args:
        audio: Audio in the session's input format.
    """
    return (
        b'{"type":"input_audio_buffer.append","audio":"'
        + b2a_base64(audio, newline=False)
        + b'"}'
    )
