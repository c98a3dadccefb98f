"""Pictures over a real socket: what the settings promise holds together."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

from realtime_widget.conf import Conf, get_conf
from realtime_widget.configs import public_config
from tests.app.rows import make_widget


def test_largest_picture_and_the_longest_text_fit_a_frame():
    conf = Conf()
    picture = {
        "mime": "image/jpeg",
        "data": b64encode(b"x" * conf.PICTURE_BYTES).decode(),
    }
    message = {
        "type": "message",
        "text": "x" * conf.TEXT_CHARS,
        "role": "user",
        "picture": picture,
    }
    assert len(json.dumps(message)) < conf.FRAME_BYTES


@pytest.mark.django_db
def test_page_is_told_how_large_a_picture_may_be():
    assert public_config(make_widget("with", pictures=True))["pictureBytes"] == (
        get_conf().PICTURE_BYTES
    )
    assert public_config(make_widget("without"))["pictureBytes"] == 0
