"""The official client's own types, as a judge of every event a test lets through."""

from __future__ import annotations

import json
from contextlib import contextmanager
from functools import cache
from typing import get_args

from realtime_widget.engine.conversation.work import Outbox


def check(event):
    """Fail unless the official package knows the event's type and accepts its fields.

    The package itself is lenient: it takes events of unknown types and values of wrong
    ones. Here a string is no number, and an unknown type fails.
    """
    # Characters are the encoder's business: here counts the shape.
    _check(event, json.dumps(event, ensure_ascii=False).encode(errors="replace"))


@contextmanager
def watching():
    """Look at whatever an engine of this process sends, for whichever test.

    Yields:
        What was wrong, in words; the engine itself notices nothing.
    """
    wrong = []
    take = Outbox.take

    def watched(outbox):
        sent, work = take(outbox)
        for event in sent:
            try:
                _check(json.loads(event), event)
            except (AssertionError, ValueError) as exc:
                wrong.append(str(exc))
        return sent, work

    Outbox.take = watched
    try:
        yield wrong
    finally:
        Outbox.take = take


def _check(event, encoded):
    model = _models().get(event.get("type"))
    assert model is not None, f"the official client knows no {event.get('type')}"
    model.model_validate_json(encoded, strict=True)


@cache
def _models():
    # Late: most tests have no engine, and these are many classes.
    from openai.types.realtime import RealtimeServerEvent

    union = get_args(RealtimeServerEvent)[0]
    return {_type_of(model): model for model in get_args(union)}


def _type_of(model):
    (name,) = get_args(model.model_fields["type"].annotation)
    return name
