"""A visitor's picture on its way to the model, in a real browser."""

from __future__ import annotations

import io
from base64 import b64decode

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from realtime_widget.models import Item
from tests.app.rows import make_widget

LIMIT_BYTES = 90_000


def picture_file(kind="PNG", size=(1600, 900), mode="RGB"):
    """Return a file full of detail, with a place written beside it."""
    picture = Image.effect_noise(size, 90).convert(mode)
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    out = io.BytesIO()
    picture.save(out, kind, exif=exif)
    name = f"holiday.{kind.lower()}"
    mime = f"image/{kind.lower()}"
    return {"name": name, "mimeType": mime, "buffer": out.getvalue()}


def choose(page, file):
    """Choose a file as a visitor does."""
    with page.page.expect_file_chooser() as chooser:
        page.button("Show a picture").click()
    chooser.value.set_files(file)


def shown_to(upstreams):
    """Return the pictures that the model got."""
    contents = [
        event["item"]["content"]
        for upstream in upstreams
        for event in upstream.events_sent("conversation.item.create")
        if event["item"]["type"] == "message"
    ]
    return [
        part["image_url"]
        for content in contents
        for part in content
        if part["type"] == "input_image"
    ]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_picture_reaches_the_model_small_and_without_its_hidden_data(
    visit, upstreams, signals_seen, kind
):
    make_widget(text_only=True, pictures=True)
    page = visit("support")
    choose(page, picture_file(kind))
    chosen = page.page.get_by_role("group", name="Chosen picture")
    chosen.get_by_role("img", name="Chosen picture: holiday").wait_for()
    results = Axe().run(page.page)
    assert results.violations_count == 0, results.generate_report()
    page.write("What is this?")
    page.wait_received("transcript", role="user", text="🖼 What is this?")
    page.wait_received("transcript", role="assistant", final=True)
    assert not chosen.is_visible()
    (url,) = shown_to(upstreams)
    head, data = url.split(",")
    assert head == "data:image/jpeg;base64"
    content = b64decode(data)
    assert len(content) <= LIMIT_BYTES
    with Image.open(io.BytesIO(content)) as seen:
        assert seen.format == "JPEG"
        assert seen.width / seen.height == pytest.approx(1600 / 900, abs=0.01)
        assert not seen.getexif()
    page.stop()
    signals_seen.wait_for("session_stopped")
    said = Item.objects.filter(role="user").get()
    assert said.text == "🖼 What is this?"


def test_picture_may_be_shown_without_words_and_taken_back(visit, upstreams):
    make_widget(text_only=True, pictures=True)
    page = visit("support")
    choose(page, picture_file())
    page.button("Remove the picture").click()
    assert page.button("Show a picture").evaluate("(b) => b.matches(':focus')")
    page.button("Send").click()
    choose(page, picture_file(size=(40, 30)))
    page.button("Remove the picture").wait_for()
    page.button("Send").click()
    page.wait_received("transcript", role="user", text="🖼")
    assert len(shown_to(upstreams)) == 1


def test_file_that_is_no_picture_is_told_and_not_sent(visit):
    make_widget(text_only=True, pictures=True)
    page = visit("support")
    choose(page, {"name": "a.png", "mimeType": "image/png", "buffer": b"no picture"})
    page.alert.get_by_text("This file is no picture that can be shown.").wait_for()
    assert page.sent("message") == []


def test_page_shows_a_picture_of_its_own(visit, upstreams):
    make_widget(text_only=True, pictures=True)
    page = visit("support")
    page.page.evaluate(
        """async () => {
          const canvas = new OffscreenCanvas(60, 40);
          canvas.getContext("2d").fillRect(0, 0, 30, 40);
          const blob = await canvas.convertToBlob();
          await document.querySelector("realtime-widget").sendPicture(blob, "My chart");
        }"""
    )
    page.wait_received("transcript", role="user", text="🖼 My chart")
    assert len(shown_to(upstreams)) == 1


def test_widget_that_takes_none_has_no_button(visit):
    make_widget(text_only=True)
    page = visit("support")
    page.page.get_by_role("textbox").wait_for()
    assert page.button("Show a picture").count() == 0
    refused = page.page.evaluate(
        "() => document.querySelector('realtime-widget').sendPicture(new Blob())"
        ".then(() => '', (error) => error.name)"
    )
    assert refused == "TypeError"
