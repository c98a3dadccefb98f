"""Random clients, microphones, recognisers, dialogues, voices and clocks.

What they do is drawn before the session runs, as plain data; ``@n`` stands for the n-th id
that the session has shown by then, ``@said`` for the last item that was spoken.
"""

from __future__ import annotations

from copy import deepcopy

from hypothesis import strategies as st

from realtime_widget.engine.ports import Heard
from realtime_widget.protocol.events import CLIENT_EVENTS
from tests.engine.machine import base64, user_text
from tests.fakes.engine import loud, quiet

ids = st.integers(0, 40).map(lambda n: f"@{n}") | st.sampled_from(
    ["root", "", "mine", "other", "nobody"]
)
texts = st.sampled_from(
    ["", "Hello.", "One. Two! Three?", "A word", "Long words. " * 9, "你好。"]
)
junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
    | ids,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "id", "audio", "input", "text", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
# Short names: a failing talk is printed.
SOUNDS = {
    "word": loud(100),
    "speech": loud(700),
    "a long answer": loud(9000),
    "gap": quiet(100),
    "silence": quiet(700),
    "turn": quiet(400) + loud(500) + quiet(900),
    "half a sample": b"\1",
    "odd": loud(50)[:-1],
    "nothing": b"",
}
pcm = st.sampled_from([b"", b"\1", loud(1)])


def some(**fields):
    """Return a strategy for objects with some of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


formats = st.sampled_from(
    [
        {"type": "audio/pcm", "rate": 24_000},
        {"type": "audio/pcmu"},
        {"type": "audio/pcma"},
    ]
)
detections = st.none() | st.sampled_from(
    [
        {"type": "server_vad"},
        {"type": "server_vad", "silence_duration_ms": 0},
        {"type": "server_vad", "silence_duration_ms": 200, "prefix_padding_ms": 0},
        {"type": "server_vad", "idle_timeout_ms": 5000, "interrupt_response": False},
        {"type": "server_vad", "create_response": False},
        {"type": "semantic_vad", "eagerness": "high"},
        {"type": "semantic_vad"},
    ]
)
transcriptions = st.none() | st.sampled_from(
    [
        {"model": "whisper-1"},
        {"model": "gpt-4o-transcribe", "language": "en", "prompt": "bicycles"},
        {"model": "gpt-live-transcribe", "languages": ["en", "de"]},
    ]
)
voices = st.sampled_from(["ash", "cedar", {"id": "voice_1"}])
tools = st.lists(
    st.sampled_from(
        [
            {"type": "function", "name": "f", "parameters": {"type": "object"}},
            {"type": "mcp", "server_label": "s", "server_url": "https://example.com"},
        ]
    ),
    max_size=2,
)
of_answers = {
    "instructions": texts,
    "output_modalities": st.sampled_from([["audio"], ["text"]]),
    "tools": tools,
    "tool_choice": st.sampled_from(
        ["auto", "none", "required", {"type": "function", "name": "f"}]
    ),
    "parallel_tool_calls": st.booleans(),
    "max_output_tokens": st.sampled_from(["inf", 1, 10, 60, 4096]),
}
hearing = some(
    format=formats,
    transcription=transcriptions,
    turn_detection=detections,
    noise_reduction=st.none() | st.just({"type": "near_field", "strength": 0.5}),
)
include = st.none() | st.just(["item.input_audio_transcription.logprobs"])
realtime_sessions = st.fixed_dictionaries(
    {"type": st.just("realtime")},
    optional={
        **of_answers,
        "include": include,
        "house_field": junk,
        "audio": some(input=hearing, output=some(format=formats, voice=voices)),
    },
)
transcription_sessions = st.fixed_dictionaries(
    {"type": st.just("transcription")},
    optional={"include": include, "audio": some(input=hearing)},
)
parts = st.one_of(
    texts.map(lambda text: {"type": "input_text", "text": text}),
    pcm.map(lambda audio: {"type": "input_audio", "audio": base64(audio)}),
    st.just({"type": "input_audio", "audio": "AAA=", "transcript": "known"}),
    st.just({"type": "input_image", "image_url": "data:image/png;base64,AA=="}),
)
items = st.one_of(
    texts.map(user_text),
    st.just(user_text("Hello", id="mine")),
    st.lists(parts, max_size=3).map(
        lambda content: {"type": "message", "role": "user", "content": content}
    ),
    texts.map(
        lambda text: {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": text}],
        }
    ),
    texts.map(
        lambda text: {"type": "function_call_output", "call_id": "c", "output": text}
    ),
    st.just({"type": "function_call", "name": "f", "arguments": "{}"}),
)
references = ids.map(lambda item_id: {"type": "item_reference", "id": item_id})
responses = some(
    **of_answers,
    conversation=st.sampled_from(["auto", "none"]),
    metadata=st.just({"topic": "x"}),
    input=st.lists(items | references, max_size=3),
    audio=some(output=some(format=formats, voice=voices)),
)
FIELDS = {
    "session.update": {"session": realtime_sessions | transcription_sessions},
    "input_audio_buffer.append": {"audio": pcm.map(base64)},
    "conversation.item.create": {"item": items},
    "conversation.item.truncate": {
        "item_id": st.just("@said") | ids,
        "content_index": st.just(0),
        "audio_end_ms": st.integers(-1, 3000),
    },
    "conversation.item.delete": {"item_id": ids},
    "conversation.item.retrieve": {"item_id": ids},
}
OPTIONAL = {
    "conversation.item.create": {"previous_item_id": ids},
    "response.create": {"response": responses},
    "response.cancel": {"response_id": ids},
}
client_events = st.one_of(
    *(
        st.fixed_dictionaries(
            {"type": st.just(kind), **FIELDS.get(kind, {})},
            optional={
                "event_id": st.sampled_from(["e1", "e" * 600]) | junk,
                **OPTIONAL.get(kind, {}),
            },
        )
        for kind in CLIENT_EVENTS
    )
)


@st.composite
def mutated_events(draw):
    """Draw a client event with one value at any depth taken away or replaced."""
    # A copy: what is drawn from a list of samples is the sample itself.
    event = deepcopy(draw(client_events))
    holder, key = event, draw(st.sampled_from(sorted(event)))
    while isinstance(holder[key], dict | list) and holder[key] and draw(st.booleans()):
        holder = holder[key]
        keys = sorted(holder) if isinstance(holder, dict) else range(len(holder))
        key = draw(st.sampled_from(keys))
    if draw(st.booleans()):
        holder[key] = draw(junk)
    else:
        del holder[key]
    return event


words = st.none() | texts | texts.map(lambda text: Heard(text, -0.3))
which = st.integers(0, 5)
calls = st.tuples(st.sampled_from(["f", "g", ""]), st.sampled_from(["{}", "x" * 200]))
# Twice what makes a talk: anything else needs it to mean something.
actions = st.one_of(
    st.tuples(st.just("send"), client_events),
    st.tuples(st.just("send"), client_events),
    st.tuples(st.just("send"), mutated_events()),
    st.tuples(
        st.just("send"),
        st.sampled_from(CLIENT_EVENTS).map(lambda kind: {"type": kind}),
    ),
    st.tuples(
        st.just("send"),
        st.fixed_dictionaries(
            {"type": st.just("response.create")}, optional={"response": responses}
        ),
    ),
    st.tuples(st.just("append"), st.sampled_from(sorted(SOUNDS))),
    st.tuples(st.just("spoken"), st.just(0), st.just("a long answer")),
    st.tuples(st.just("append"), st.just("turn")),
    st.tuples(st.just("recognised"), which, words),
    st.tuples(st.just("said"), which, texts),
    st.tuples(st.just("called"), which, calls),
    st.tuples(st.just("said"), which, st.just("A longer sentence. And another one.")),
    st.tuples(st.just("replied"), which),
    st.tuples(st.just("spoken"), which, st.sampled_from(sorted(SOUNDS))),
    st.tuples(st.just("sentence_done"), which),
    st.tuples(st.just("reply_failed"), which),
    st.tuples(st.just("work_failed"), which),
    st.tuples(st.just("wait"), st.sampled_from([0, 0.3, 4, 9, 30])),
)
options = st.fixed_dictionaries(
    {},
    optional={
        "session_type": st.sampled_from(["realtime", "transcription"]),
        "hears": st.booleans(),
        "speaks": st.booleans(),
        "max_session_s": st.sampled_from([40, 3600]),
        "requests_per_min": st.sampled_from([2, 1000]),
        "tokens_per_min": st.sampled_from([50, 100_000]),
    },
)
talks = st.lists(actions, min_size=12, max_size=60)
