from __future__ import annotations

from decimal import Decimal

import pytest

from realtime_widget.protocol.usage import Counts, Rates, cost_usd, read_usage

REALTIME = Rates(
    text_in=Decimal(4),
    text_cached=Decimal("0.40"),
    text_out=Decimal(24),
    audio_in=Decimal(32),
    audio_cached=Decimal("0.40"),
    audio_out=Decimal(64),
    image_in=Decimal(5),
    image_cached=Decimal("0.50"),
)
MINUTE = Rates(minute=Decimal("0.0045"))


def usage(text=0, audio=0, image=0, cached=(0, 0, 0), out=(0, 0)):
    """Return a response's ``usage`` as the provider sends it."""
    names = ("text_tokens", "audio_tokens", "image_tokens")
    return {
        "total_tokens": text + audio + image + sum(out),
        "input_tokens": text + audio + image,
        "output_tokens": sum(out),
        "input_token_details": {
            "text_tokens": text,
            "audio_tokens": audio,
            "image_tokens": image,
            "cached_tokens": sum(cached),
            "cached_tokens_details": dict(zip(names, cached, strict=True)),
        },
        "output_token_details": {"text_tokens": out[0], "audio_tokens": out[1]},
    }


def test_cached_tokens_are_part_of_the_input_and_cost_less():
    counts = read_usage(usage(text=1000, audio=500, cached=(600, 200, 0), out=(50, 90)))
    assert (counts.text_in, counts.cached_text_in, counts.cached_in) == (1000, 600, 800)
    # 400 x 4 + 600 x 0.40 + 300 x 32 + 200 x 0.40 + 50 x 24 + 90 x 64, a million each
    assert cost_usd(counts, REALTIME) == Decimal("0.0184800000")


def test_images_have_their_own_price():
    counts = read_usage(usage(image=1000, cached=(0, 0, 400)))
    assert cost_usd(counts, REALTIME) == Decimal("0.0032000000")


def test_output_that_is_in_no_detail_is_billed_as_text():
    counted = usage(text=10, out=(5, 20))
    counted["output_tokens"] = 100
    counts = read_usage(counted)
    assert (counts.text_out, counts.audio_out) == (80, 20)


def test_cached_tokens_of_one_kind_need_no_details():
    counted = usage(text=100, cached=(40, 0, 0))
    del counted["input_token_details"]["cached_tokens_details"]
    counts = read_usage(counted)
    assert (counts.cached_text_in, counts.complete) == (40, True)


@pytest.mark.parametrize(
    "counted",
    [
        {"total_tokens": 30, "input_tokens": 10, "output_tokens": 20},
        {"input_tokens": 10, "input_token_details": {"text_tokens": 4}},
        {
            "input_tokens": 10,
            "input_token_details": {
                "text_tokens": 5,
                "audio_tokens": 5,
                "cached_tokens": 3,
            },
        },
        {"type": "duration"},
        {"type": "duration", "seconds": float("nan")},
    ],
)
def test_tokens_of_no_kind_have_no_known_cost(counted):
    counts = read_usage(counted)
    assert not counts.complete
    assert cost_usd(counts, REALTIME) is None


@pytest.mark.parametrize("rates", [None, Rates(), Rates(text_in=Decimal(4))])
def test_one_token_without_a_price_makes_the_whole_unknown(rates):
    assert cost_usd(read_usage(usage(text=10, audio=1)), rates) is None


def test_transcription_is_billed_by_time_or_by_token():
    by_time = read_usage({"type": "duration", "seconds": 90})
    assert cost_usd(by_time, MINUTE) == Decimal("0.0067500000")
    assert cost_usd(by_time, REALTIME) is None
    by_token = read_usage(
        {
            "type": "tokens",
            "input_tokens": 300,
            "input_token_details": {"text_tokens": 0, "audio_tokens": 300},
            "output_tokens": 12,
            "total_tokens": 312,
        }
    )
    assert by_token.text_out == 12
    # 600 tokens are a minute of what a user says.
    assert cost_usd(by_token, MINUTE) == Decimal("0.0022500000")


@pytest.mark.parametrize(
    "counted",
    [
        {},
        {"input_tokens": -5, "output_tokens": "many", "input_token_details": [1]},
        {"input_tokens": 2**40, "output_token_details": None},
    ],
)
def test_what_is_no_count_counts_as_none(counted):
    assert read_usage(counted) == Counts()
