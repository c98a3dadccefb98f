"""A picture from the visitor: checked, sent to the model, and not kept."""

from __future__ import annotations

from base64 import b64encode

import pytest

from tests.session.driving import Talk

JPEG = b"\xff\xd8\xff\xe0" + b"j" * 20
PNG = b"\x89PNG\r\n\x1a\n" + b"p" * 20
LIMIT_BYTES = 100


def shown(content, mime="image/jpeg", **fields):
    """Return the fields of a message with a picture."""
    data = content if isinstance(content, str) else b64encode(content).decode()
    return {"text": "", "picture": {"mime": mime, "data": data}, **fields}


@pytest.mark.parametrize(
    ("content", "mime"), [(JPEG, "image/jpeg"), (PNG, "image/png")]
)
def test_picture_reaches_the_model_and_is_answered(content, mime):
    talk = Talk(picture_bytes=LIMIT_BYTES)
    talk.page("message", **shown(content, mime, text="What is this?"))
    item, answer = talk.upstream
    assert item["item"]["content"] == [
        {"type": "input_text", "text": "What is this?"},
        {
            "type": "input_image",
            "image_url": f"data:{mime};base64,{b64encode(content).decode()}",
        },
    ]
    assert answer["type"] == "response.create"


def test_page_and_record_have_a_mark_in_its_place():
    talk = Talk(picture_bytes=LIMIT_BYTES)
    talk.page("message", **shown(JPEG, text="What is this?"))
    talk.page("message", **shown(JPEG, text="🖼 And this?"))
    lines = [one["text"] for one in talk.messages("transcript")]
    assert lines == ["🖼 What is this?", "🖼 And this?"]
    assert [fact.text for fact in talk.facts] == lines
    assert b64encode(JPEG).decode() not in repr(talk.facts)


def test_picture_needs_no_words():
    talk = Talk(picture_bytes=LIMIT_BYTES)
    talk.page("message", **shown(JPEG))
    assert [part["type"] for part in talk.upstream[0]["item"]["content"]] == [
        "input_image"
    ]
    assert talk.facts[0].text == "🖼"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        (shown(JPEG + b"x" * LIMIT_BYTES), "bad_picture"),
        (shown(b""), "bad_picture"),
        (shown(PNG), "bad_picture"),
        (shown(b"<svg></svg>", "image/svg+xml"), "bad_picture"),
        (shown(b"GIF89a", "image/gif"), "bad_picture"),
        (shown(b"<html>", "text/html"), "bad_picture"),
        (shown("no base64!"), "bad_picture"),
        (shown("ÿØÿ"), "bad_picture"),
        (shown(JPEG, mime=["image/jpeg"]), "bad_picture"),
        ({"text": "x", "picture": {"mime": "image/jpeg", "data": 5}}, "bad_picture"),
        ({"text": "x", "picture": {}}, "bad_picture"),
        ({"text": "x", "picture": "data:image/jpeg"}, "invalid_field"),
        (shown(JPEG, role="system"), "forbidden"),
        ({"picture": shown(JPEG)["picture"]}, "invalid_field"),
    ],
)
def test_bad_picture_is_refused_and_nothing_is_sent(fields, code):
    talk = Talk(picture_bytes=LIMIT_BYTES, message_roles=frozenset({"user", "system"}))
    talk.page("message", **fields)
    assert talk.errors == [code]
    assert not talk.upstream
    assert not talk.facts


def test_widget_without_pictures_takes_none():
    talk = Talk()
    talk.page("message", **shown(JPEG, text="What is this?"))
    assert talk.errors == ["forbidden"]
    assert not talk.upstream
