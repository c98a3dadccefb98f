from __future__ import annotations

import pytest

from realtime_widget.protocol.audio import PCMU
from realtime_widget.session.config import Limits, TurnDetection
from realtime_widget.session.ports import ItemFact
from tests.session.driving import Talk

TEXT = "one two three four five six seven eight nine ten"


def answering(heard_s=1.0, ms=2000, **fields):
    """Return a talk in which ``ms`` of audio are being heard."""
    talk = Talk(**fields)
    talk.response()
    talk.words(TEXT)
    talk.audio(ms)
    talk.play()
    talk.after(heard_s)
    talk.play()
    talk.clear()
    return talk


def truncations(talk):
    return [
        (event["item_id"], event["audio_end_ms"])
        for event in talk.sent("conversation.item.truncate")
    ]


def test_the_page_is_silenced_at_once_and_asked_what_it_played():
    talk = answering()
    talk.speech()
    assert talk.messages("audio.interrupted") == [
        {"type": "audio.interrupted", "item_id": "item_1", "heard_ms": 1000}
    ]
    assert talk.states == ["hearing"]
    assert not talk.upstream
    assert not talk.play()


def test_the_pages_answer_is_what_the_model_is_told():
    talk = answering()
    talk.speech()
    talk.after(0.05)
    talk.page("playback", item_id="item_1", played_ms=873.9, done=True)
    assert truncations(talk) == [("item_1", 873)]
    talk.after(1)
    assert len(truncations(talk)) == 1


def test_the_last_report_in_time_counts_when_none_is_final():
    talk = answering()
    talk.speech()
    talk.page("playback", item_id="item_1", played_ms=750, done=False)
    talk.page("playback", item_id="item_1", played_ms=910, done=False)
    assert not truncations(talk)
    talk.after(0.31)
    assert truncations(talk) == [("item_1", 910)]


def test_without_an_answer_the_estimate_is_used_after_300_ms():
    talk = answering()
    talk.speech()
    talk.after(0.29)
    assert not truncations(talk)
    talk.after(0.02)
    assert truncations(talk) == [("item_1", 1000)]


def test_a_late_answer_of_the_page_changes_nothing():
    talk = answering()
    talk.speech()
    talk.after(0.5)
    talk.page("playback", item_id="item_1", played_ms=100, done=True)
    assert truncations(talk) == [("item_1", 1000)]


def test_more_than_was_sent_cannot_have_been_heard():
    talk = answering(heard_s=0.5, ms=600)
    talk.speech()
    talk.page("playback", item_id="item_1", played_ms=99_999, done=True)
    assert truncations(talk) == [("item_1", 600)]


def cut_item(talk):
    """Return the last record of the answer that was cut off."""
    return [fact for fact in talk.facts if isinstance(fact, ItemFact)][-1]


def test_words_that_come_behind_the_cut_are_kept_apart():
    talk = answering()
    talk.speech()
    talk.words(" eleven")
    talk.page("playback", item_id="item_1", played_ms=1000, done=True)
    assert cut_item(talk).generated == f"{TEXT} eleven"
    talk.words(" twelve")
    talk.done(status="cancelled")
    assert cut_item(talk).generated == f"{TEXT} eleven twelve"
    assert cut_item(talk).text == "one two three four five"
    assert cut_item(talk).heard_ms == 1000
    # The page is shown what was heard, and nothing of the rest.
    assert "eleven" not in str(talk.messages("transcript")[-1])


def test_answer_that_ends_before_the_page_says_what_it_played_keeps_all_words():
    talk = answering()
    talk.speech()
    talk.all_words(f"{TEXT} eleven.")
    talk.done(status="cancelled")
    talk.page("playback", item_id="item_1", played_ms=1000, done=True)
    assert cut_item(talk).generated == f"{TEXT} eleven."
    assert cut_item(talk).status == "interrupted"


def test_answer_of_which_nothing_was_heard_has_words_but_none_that_were_heard():
    talk = answering(heard_s=0.0)
    talk.speech()
    talk.page("playback", item_id="item_1", played_ms=0, done=True)
    item = cut_item(talk)
    assert (item.text, item.heard_ms, item.generated) == ("", 0, TEXT)


def test_nothing_heard_is_not_truncated():
    talk = answering(heard_s=0.0)
    talk.speech()
    talk.page("playback", item_id="item_1", played_ms=0, done=True)
    assert not truncations(talk)
    assert talk.messages("transcript")[-1]["text"] == ""


def test_g711_is_counted_in_its_own_bytes():
    talk = Talk(audio=PCMU)
    talk.response()
    talk.take(talk.core.audio("item_1", "resp_1", b"\1" * 8 * 1000, talk.now))
    talk.play()
    talk.after(0.4)
    talk.speech()
    talk.after(0.4)
    assert truncations(talk) == [("item_1", 400)]


def test_of_the_words_only_the_heard_part_is_kept():
    talk = answering()
    talk.speech()
    talk.page("playback", item_id="item_1", played_ms=1000, done=True)
    (line,) = talk.messages("transcript")
    assert line["text"] == "one two three four five"
    assert line["final"] is True
    assert talk.facts == [
        ItemFact(
            "item_1",
            "assistant",
            "one two three four five",
            status="interrupted",
            heard_ms=1000,
            agent="Ann",
            generated="one two three four five six seven eight nine ten",
        )
    ]


def test_words_and_audio_after_the_interruption_are_dropped():
    talk = answering()
    talk.speech()
    talk.words(" eleven")
    talk.all_words(TEXT + " eleven")
    talk.audio(200)
    assert not talk.play()
    talk.done(status="cancelled")
    assert not talk.messages("transcript")
    talk.after(0.31)
    assert [m["text"] for m in talk.messages("transcript")] == [
        "one two three four five"
    ]


def test_an_answer_recorded_in_full_is_cut_when_it_was_not_heard_in_full():
    talk = Talk()
    talk.response()
    talk.words(TEXT)
    talk.audio(2000)
    talk.audio_done()
    talk.all_words(TEXT)
    talk.done()
    talk.play()
    talk.after(1.0)
    assert talk.facts[-1].status == "completed"
    talk.speech()
    talk.after(0.31)
    assert [fact.text for fact in talk.facts] == [TEXT, "one two three four five"]
    assert talk.facts[-1].status == "interrupted"
    assert truncations(talk) == [("item_1", 1000)]


def test_an_answer_heard_to_its_end_is_not_truncated():
    talk = Talk()
    talk.response()
    talk.words(TEXT)
    talk.audio(500)
    talk.audio_done()
    talk.play()
    talk.after(0.45)
    talk.speech()
    talk.page("playback", item_id="item_1", played_ms=500, done=True)
    assert not truncations(talk)
    talk.done(status="cancelled")
    assert talk.facts[-1].text == TEXT
    assert talk.facts[-1].heard_ms is None


def test_speech_after_the_answer_interrupts_nothing():
    talk = Talk()
    talk.response()
    talk.audio(500)
    talk.audio_done()
    talk.done()
    talk.play()
    talk.after(0.6)
    talk.speech()
    assert not talk.messages("audio.interrupted")
    assert not truncations(talk)


def test_speech_while_the_answer_is_made_drops_what_comes_of_it():
    talk = Talk()
    talk.response()
    talk.words("Well, ")
    talk.speech()
    talk.audio(200)
    assert not talk.play()
    talk.done(status="cancelled")
    assert talk.messages("transcript")[-1]["text"] == ""
    assert not truncations(talk)


def test_a_widget_that_does_not_interrupt_goes_on():
    talk = answering(turn_detection=TurnDetection(interrupt_response=False))
    talk.speech()
    talk.after(0.5)
    assert not talk.messages("audio.interrupted")
    assert not truncations(talk)
    assert talk.states == []
    talk.after(2.0)
    assert talk.core.turns.speaking


def test_of_two_items_the_heard_one_is_told_and_the_other_emptied():
    talk = answering()
    talk.words("Second.", item_id="item_2")
    talk.audio(1000, item_id="item_2")
    talk.speech()
    talk.page("playback", item_id="item_1", played_ms=900, done=True)
    assert truncations(talk) == [("item_1", 900)]
    texts = {m["item_id"]: m["text"] for m in talk.messages("transcript") if m["final"]}
    assert texts == {"item_1": "one two three four", "item_2": ""}


def test_a_report_on_the_second_item_means_the_first_was_heard():
    talk = Talk()
    talk.response()
    talk.words("First.")
    talk.audio(400)
    talk.audio_done()
    talk.words("Second one.", item_id="item_2")
    talk.audio(1000, item_id="item_2")
    talk.play()
    talk.after(0.3)
    talk.speech()
    talk.page("playback", item_id="item_2", played_ms=120, done=True)
    assert truncations(talk) == [("item_2", 120)]


def test_a_second_barge_in_settles_the_first():
    talk = answering()
    talk.speech()
    talk.speech(at_ms=700)
    assert truncations(talk) == [("item_1", 1000)]


def test_interrupt_of_the_page_cancels_and_truncates_at_its_figure():
    talk = answering()
    talk.page("interrupt", item_id="item_1", played_ms=640)
    assert talk.messages("audio.interrupted")[0]["item_id"] == "item_1"
    assert [event["type"] for event in talk.upstream] == [
        "response.cancel",
        "conversation.item.truncate",
    ]
    assert truncations(talk) == [("item_1", 640)]
    talk.done(status="cancelled")
    assert talk.states == ["thinking", "listening"]


@pytest.mark.parametrize(("item_id", "told"), [("", 640), ("item_9", 1000)])
def test_interrupt_without_a_known_item_means_the_current_one(item_id, told):
    talk = answering()
    talk.page("interrupt", item_id=item_id, played_ms=640)
    assert truncations(talk) == [("item_1", told)]


def test_an_answer_without_end_is_cancelled_at_its_bound():
    talk = Talk(limits=Limits(max_response_audio_s=3.0))
    talk.response()
    for _ in range(40):
        talk.audio(100)
    assert talk.sent("response.cancel") == [
        {"type": "response.cancel", "response_id": "resp_1"}
    ]
    assert talk.notes == ["response_too_long"]
    assert talk.core.answers.playback.queued_ms == 3000
    talk.response("resp_2")
    talk.audio(100, item_id="item_2", response_id="resp_2")
    assert talk.core.answers.playback.queued_ms == 3100


def test_a_page_that_takes_nothing_does_not_fill_the_memory():
    talk = Talk(limits=Limits(stalled_browser_s=15.0))
    talk.response()
    most_ms = 0
    for _ in range(100):
        talk.audio(400)  # four times as fast as it is heard
        talk.play()
        most_ms = max(most_ms, talk.core.answers.playback.queued_ms)
        talk.now += 0.1
    assert 20_000 <= most_ms <= 20_400
    assert len(talk.sent("response.cancel")) == 1
    assert talk.notes == ["response_not_taken"]


def test_truncation_races_are_never_shown():
    talk = answering()
    talk.speech()
    talk.after(0.4)
    event_id = talk.sent("conversation.item.truncate")[0]["event_id"]
    talk.error("server_error", event_id=event_id)
    talk.error(None, event_id=event_id)
    assert not talk.errors
    assert not talk.stops


def test_an_endless_answer_that_is_interrupted_is_cancelled_once():
    talk = Talk(limits=Limits(max_response_audio_s=1.0))
    talk.response()
    talk.audio(900)
    talk.audio(200)
    talk.page("interrupt", played_ms=0)
    assert len(talk.sent("response.cancel")) == 1


def test_an_endless_answer_of_a_response_that_does_not_run_is_only_dropped():
    talk = Talk(limits=Limits(max_response_audio_s=1.0))
    talk.audio(1100)
    talk.audio(100)
    assert not talk.sent("response.cancel")
    assert not talk.play()
