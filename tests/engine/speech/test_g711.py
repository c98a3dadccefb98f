from __future__ import annotations

import math
import struct
import warnings

import pytest

pytest.importorskip("numpy", reason="the [local] extra is not installed: numpy")

from realtime_widget.engine.g711 import (
    G711Decoder,
    G711Encoder,
    decode_table,
    encode_table,
    g711_to_pcm16_24k,
    pcm16_24k_to_g711,
)

LAWS = ["pcmu", "pcma"]


# ITU-T G.711, tables 1a, 2a and their neighbours, as 16-bit samples.
@pytest.mark.parametrize(
    ("law", "code", "sample"),
    [
        ("pcmu", 0xFF, 0),
        ("pcmu", 0x7F, 0),
        ("pcmu", 0x80, 32124),
        ("pcmu", 0x00, -32124),
        ("pcmu", 0xF0, 120),
        ("pcma", 0xD5, 8),
        ("pcma", 0x55, -8),
        ("pcma", 0xAA, 32256),
        ("pcma", 0x2A, -32256),
    ],
)
def test_known_codes_decode_to_their_samples(law, code, sample):
    assert decode_table(law)[code] == sample


@pytest.mark.parametrize("law", LAWS)
def test_decoded_codes_encode_to_themselves(law):
    for code in range(256):
        sample = int(decode_table(law)[code])
        again = int(encode_table(law)[sample & 0xFFFF])
        # mu-law has two zeros; both mean silence.
        assert again == code or sample == 0


@pytest.mark.parametrize("law", LAWS)
def test_every_code_equals_audioop(law):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        audioop = pytest.importorskip("audioop", reason="Python 3.13 has no audioop")
    encode, decode = {
        "pcmu": (audioop.lin2ulaw, audioop.ulaw2lin),
        "pcma": (audioop.lin2alaw, audioop.alaw2lin),
    }[law]
    all_samples = struct.pack("<65536H", *range(65_536))

    assert encode(all_samples, 2) == encode_table(law).tobytes()
    assert decode(bytes(range(256)), 2) == decode_table(law).astype("<i2").tobytes()


def tone(hz, seconds=0.5):
    values = (
        round(12_000 * math.sin(2 * math.pi * hz * n / 24_000))
        for n in range(int(24_000 * seconds))
    )
    return struct.pack(f"<{int(24_000 * seconds)}h", *values)


@pytest.mark.parametrize("law", LAWS)
def test_tone_comes_back_from_the_telephone(law):
    pcm = tone(1000)

    back = g711_to_pcm16_24k(pcm16_24k_to_g711(pcm, law), law)

    assert len(back) == len(pcm)
    said = struct.unpack(f"<{len(pcm) // 2}h", pcm)[600:-600]
    heard = struct.unpack(f"<{len(back) // 2}h", back)[600:-600]
    noise = sum((a - b) ** 2 for a, b in zip(said, heard, strict=True))
    assert 10 * math.log10(sum(a * a for a in said) / noise) > 30


@pytest.mark.parametrize("law", LAWS)
def test_stream_in_odd_pieces_equals_the_whole(law):
    pcm = tone(440)
    encoder, decoder = G711Encoder(law), G711Decoder(law)

    coded = b"".join(encoder.feed(pcm[at : at + 777]) for at in range(0, len(pcm), 777))
    coded += encoder.flush()
    back = b"".join(
        decoder.feed(coded[at : at + 101]) for at in range(0, len(coded), 101)
    )
    back += decoder.flush()

    whole = pcm16_24k_to_g711(pcm, law)
    assert coded[: len(whole)] == whole
    assert back[: len(pcm)] == g711_to_pcm16_24k(coded, law)[: len(pcm)]


def test_unknown_law_is_refused():
    with pytest.raises(KeyError):
        G711Encoder("opus")
