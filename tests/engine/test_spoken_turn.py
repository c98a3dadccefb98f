"""One spoken turn with its times, on a clock that jumps."""

from __future__ import annotations

import pytest

from realtime_widget.engine.spoken_turn import take_spoken_turn
from tests.fakes.clock import virtual_time
from tests.fakes.engine import ScriptedStt, loud, make_parts, quiet


@virtual_time
async def test_times_count_from_the_end_of_the_speech():
    parts = make_parts(stt=ScriptedStt("good morning"))
    # What a recording ends with is not speech.
    pcm = quiet(200) + loud(960) + quiet(400)

    turn = await take_spoken_turn(parts, pcm)

    assert turn.status == "completed"
    assert 500 <= turn.stopped_ms <= 600
    assert turn.stopped_ms <= turn.words_ms <= turn.first_audio_ms
    assert turn.answer_ms == 4 * 300


@virtual_time
async def test_turn_nobody_hears_is_no_endless_wait():
    with pytest.raises(TimeoutError):
        await take_spoken_turn(make_parts(), quiet(500))
