"""What a field refuses, and that it says why."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.test import override_settings
from PIL import Image

from realtime_widget.models import markup, schemas, styles, validators


def refused(validate, value) -> str:
    with pytest.raises(ValidationError) as caught:
        validate(value)
    return " ".join(caught.value.messages)


# Origins


@pytest.mark.parametrize(
    "origin",
    [
        "https://shop.example.org",
        "http://shop.example.org:8080",
        "http://localhost:3000",
        "https://[2001:db8::1]:8443",
        "http://192.0.2.7",
    ],
)
def test_exact_origin_is_taken(origin):
    validators.validate_origins([origin])


@pytest.mark.parametrize(
    "origin",
    [
        "https://shop.example.org/",
        "https://shop.example.org/path",
        "https://*.example.org",
        "*",
        "null",
        "shop.example.org",
        "HTTPS://shop.example.org",
        "https://Shop.example.org",
        "https://shop.example.org:443",
        "http://shop.example.org:80",
        "https://user@shop.example.org",
        "https://shop.example.org?x",
        "https://shop.example.org:99999",
        "https://[::1",
        "ws://shop.example.org",
        "https://shop..org",
        "https://",
        "",
    ],
)
def test_anything_but_an_exact_origin_is_refused(origin):
    assert "origin" in refused(validators.validate_origins, [origin])


@pytest.mark.parametrize("value", ["https://a.example", {"a": 1}, [1], 7])
def test_origins_that_are_no_list_of_texts_are_refused(value):
    assert "list" in refused(validators.validate_origins, value)


# Addresses of providers


@pytest.mark.parametrize(
    "url",
    [
        "wss://api.openai.com/v1",
        "https://shop.openai.azure.com",
        "https://203.0.114.9/v1",
        "https://[2606:4700::1111]/v1",
    ],
)
def test_public_address_is_taken(url):
    validators.validate_base_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8765/v1",
        "wss://127.1/v1",
        "wss://0x7f.1/v1",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://localhost/",
        "https://localhost./",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[fe80::1]/",
        "https://[fd00::1]/",
        "https://10.1.2.3/",
        "https://192.168.1.1/",
        "https://172.16.0.1/",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "https://metadata.google.internal/",
        "https://printer.local/",
        "https://intranet/",
        "https://db.home.arpa/",
    ],
)
def test_inner_address_is_refused_with_the_setting_to_change(url):
    assert "UPSTREAM_HOSTS" in refused(validators.validate_base_url, url)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://example.org/",
        "//example.org/",
        "example.org",
        "https://",
        "https://user:pass@example.org/",
        "https://example.org/v1?api-key=abc",
        "https://example.org/#x",
        "https://[::1",
        "https://example.org:99999/",
        "ws://example.org/v1",
        "http://example.org/v1",
    ],
)
def test_odd_or_plain_address_is_refused(url):
    refused(validators.validate_base_url, url)


@override_settings(REALTIME_WIDGET={"UPSTREAM_HOSTS": ["127.0.0.1:8765", "gpu.lan"]})
def test_listed_host_may_be_inner_and_plain():
    validators.validate_base_url("ws://127.0.0.1:8765/v1")
    validators.validate_base_url("http://gpu.lan/v1")
    refused(validators.validate_base_url, "ws://127.0.0.1:8766/v1")


# Keys

KEY = "sk-proj-abcdefghijklmnop0123456789"


@pytest.mark.parametrize(
    "value",
    [KEY, "sk-short", "Bearer abc", "ek_68af296e8e408191a1120ab6383263c2", "a1" * 20],
)
def test_key_itself_is_refused_without_being_repeated(value):
    words = refused(validators.validate_key_name, value)
    assert "environment" in words
    assert value not in words


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "AWS_SECRET_ACCESS_KEY", "no name", "PATH"]
)
def test_name_that_the_settings_do_not_list_is_refused(name, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    assert "KEY_NAMES" in refused(validators.validate_key_name, name)


def test_key_is_found_in_the_environment_before_the_settings(monkeypatch):
    names = ["OPENAI_API_KEY"]
    with override_settings(
        REALTIME_WIDGET={"KEY_NAMES": names}, OPENAI_API_KEY="from-settings"
    ):
        monkeypatch.delenv("OPENAI_API_KEY", raising=False)
        assert validators.find_key("OPENAI_API_KEY") == ("from-settings", "settings")
        monkeypatch.setenv("OPENAI_API_KEY", "from-environment")
        assert validators.find_key("OPENAI_API_KEY") == (
            "from-environment",
            "environment",
        )


def test_key_of_an_unlisted_name_is_never_read():
    assert validators.find_key("SECRET_KEY") == ("", "")


# CSS


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"backgroundColor": "#f7f7f7", "padding": "5px"},
        {"background-color": "rgb(1 2 3 / 50%)"},
        {"filter": "brightness(0) saturate(100%) invert(20%) hue-rotate(359deg)"},
        {"width": "calc(100% - (2px + 1em))", "opacity": 0.5},
        {"fontFamily": "'Inter', sans-serif"},
        {"boxShadow": "0 1px 2px rgba(0, 0, 0, 0.3)"},
        {"background": "linear-gradient(45deg, red, var(--accent))"},
        {"borderTopLeftRadius": "4px", "insetInlineStart": "3px"},
        {"position": "relative"},
    ],
)
def test_ordinary_css_is_taken(value):
    styles.validate_styles(value)


@pytest.mark.parametrize(
    "value",
    [
        {"background": "url(https://evil.example/x)"},
        {"background": "URL('//evil.example')"},
        {"background": "u\\72l(x)"},
        {"background": "url/**/(x)"},
        {"background": "image-set('x' 1x)"},
        {"background": "src(x)"},
        {"width": "expression(alert(1))"},
        {"color": "red; position: fixed"},
        {"color": "red} * {display: none"},
        {"color": "@import 'x'"},
        {"color": "</style><script>"},
        {"color": "javascript:alert(1)"},
        {"color": "//evil.example"},
        {"color": "attr(data-x)"},
        {"position": "fixed"},
        {"position": "sticky"},
        {"content": "'x'"},
        {"behavior": "x"},
        {"-moz-binding": "x"},
        {"--custom": "1"},
        {"color": ""},
        {"color": True},
        {"color": {"default": "red"}},
        {"color": "x" * 301},
        "color: red",
        ["color"],
    ],
)
def test_css_that_loads_runs_or_covers_is_refused(value):
    refused(styles.validate_styles, value)
    if isinstance(value, dict):
        assert styles.safe_styles(value) == {}


def test_safe_styles_keep_the_good_ones_in_camel_case():
    given = {"background-color": "red", "padding": 4, "color": "url(x)"}
    assert styles.safe_styles(given) == {"backgroundColor": "red", "padding": "4"}


def test_button_styles_know_their_parts_and_states():
    styles.validate_button_styles({"svg": {"hover": {"color": "red"}}})
    assert "container" in refused(styles.validate_button_styles, {"icon": {}})
    assert "hover" in refused(styles.validate_button_styles, {"svg": {"focus": {}}})
    refused(styles.validate_button_styles, {"svg": {"hover": {"color": "url(x)"}}})


# SVG and HTML

ICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="M1 1h2" fill="currentColor"></path></svg>'
BAD_SVG = [
    "<svg><script>alert(1)</script></svg>",
    '<svg onload="alert(1)"></svg>',
    '<svg><a href="javascript:alert(1)"><path d="M0 0"/></a></svg>',
    "<svg><foreignObject><body onload=alert(1)></foreignObject></svg>",
    '<svg><animate attributeName="href" values="javascript:alert(1)"/></svg>',
    '<svg><set attributeName="onmouseover" to="alert(1)"/></svg>',
    '<svg><use href="https://evil.example/x.svg#a"/></svg>',
    '<svg><image href="//evil.example/x.png"/></svg>',
    '<svg><rect fill="url(https://evil.example/x)"/></svg>',
    '<svg><rect fill="url( //evil.example/x)"/></svg>',
    "<svg><style>*{background:url(//evil.example)}</style></svg>",
    '<svg><rect style="background:url(//evil.example)"/></svg>',
    '<svg xmlns="http://evil.example"><path d="M0 0"/></svg>',
    "<svg><iframe src=javascript:alert(1)></iframe></svg>",
    "<svg></p><style><g title='</style><img src onerror=alert(1)>'></svg>",
    "<svg><![CDATA[<script>alert(1)</script>]]></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></table></mtext></math>",
    "<img src=x onerror=alert(1)>",
    "hello <svg></svg>",
    "hello",
    "",
]


def test_clean_icon_is_kept_as_it_is():
    markup.validate_svg(ICON)
    assert markup.clean_svg(ICON) == ICON


def test_ids_of_a_drawing_are_dropped_quietly():
    given = ICON.replace("<path", '<path id="attributes" data-name="Layer 1"')
    markup.validate_svg(given)
    assert markup.clean_svg(given) == ICON


@pytest.mark.parametrize("svg", BAD_SVG)
def test_unsafe_or_other_svg_is_refused(svg):
    refused(markup.validate_svg, svg)


@pytest.mark.parametrize("svg", BAD_SVG)
def test_cleaned_svg_can_neither_run_nor_load(svg):
    cleaned = markup.clean_svg(svg).lower()
    for sign in ("<script", "onload", "onerror", "javascript:", "url(", "//evil", "<style", "<iframe", "<image", "<use", "foreignobject", "<set", "<animate", "<img"):  # fmt: skip
        assert sign not in cleaned


def test_reason_names_the_part_to_take_out():
    words = refused(markup.validate_svg, "<svg onclick='x'><script></script></svg>")
    assert "<script>" in words
    assert "onclick" in words


def test_loading_html_takes_plain_elements():
    given = '<div class="ripple"><div></div></div>'
    markup.validate_html(given)
    assert markup.clean_html(given) == given


@pytest.mark.parametrize(
    "html",
    [
        "<script>x</script>",
        "<style>@keyframes x{}</style>",
        '<img src="https://evil.example/x">',
        '<div style="position:fixed">x</div>',
        '<a href="https://evil.example">x</a>',
        '<form action="/x"><input></form>',
        "<p onclick=x>y</p>",
        "x" * 20_001,
    ],
)
def test_loading_html_refuses_the_rest(html):
    refused(markup.validate_html, html)


# JSON Schema


def test_schema_that_models_accept_is_taken():
    schemas.validate_parameters({})
    schemas.validate_parameters(
        {
            "type": "object",
            "properties": {
                "order": {
                    "type": "string",
                    "description": "Number.",
                    "pattern": "^[0-9]+$",
                },
                "days": {
                    "type": "array",
                    "items": {"$ref": "#/$defs/Day"},
                    "maxItems": 7,
                },
                "size": {
                    "anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]
                },
            },
            "required": ["order"],
            "additionalProperties": False,
            "$defs": {"Day": {"enum": ["monday", "friday"], "type": "string"}},
        }
    )


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ([], "object"),
        ("{}", "object"),
        ({"type": "string"}, "object"),
        ({"properties": {}}, "object"),
        ({"type": "object", "properties": []}, "properties"),
        ({"type": "object", "properties": {"a": "string"}}, "“a”"),
        ({"type": "object", "properties": {"a": {"type": "strng"}}}, "“a”"),
        ({"type": "object", "properties": {"a": {"typ": "string"}}}, "typ"),
        ({"type": "object", "properties": {"a": {"enum": []}}}, "enum"),
        ({"type": "object", "properties": {"a": {"pattern": "("}}}, "pattern"),
        ({"type": "object", "properties": {"a": {"minLength": -1}}}, "minLength"),
        ({"type": "object", "properties": {"a": {"multipleOf": 0}}}, "multipleOf"),
        ({"type": "object", "required": ["a"], "properties": {}}, "required"),
        ({"type": "object", "required": "a"}, "required"),
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/B"}}}, "B"),
        ({"type": "object", "properties": {"a": {"$ref": "https://x.example/s"}}}, "$ref"),
        ({"type": "object", "properties": {"a": {"items": {"type": 7}, "type": "array"}}}, "a.items"),
        ({"type": "object", "if": {}}, "if"),
    ],
)  # fmt: skip
def test_schema_is_refused_with_the_place_of_the_fault(schema, place):
    assert place in refused(schemas.validate_parameters, schema)


def test_schema_without_end_is_refused():
    schema = {"type": "string"}
    for _ in range(20):
        schema = {"type": "object", "properties": {"a": schema}}
    assert "deep" in refused(schemas.validate_parameters, schema)


# Small lists and names


def test_message_roles_are_the_protocols():
    validators.validate_message_roles(["user", "system"])
    refused(validators.validate_message_roles, ["user", "developer"])
    refused(validators.validate_message_roles, "user")


def test_variables_are_names_and_few():
    validators.validate_variables(["order", "page_2"])
    refused(validators.validate_variables, ["order number"])
    refused(validators.validate_variables, [f"v{n}" for n in range(21)])
    refused(validators.validate_variables, {"order": 1})


@pytest.mark.parametrize("name", ["a b", "", "é", "x" * 65, "a.b"])
def test_tool_name_that_no_model_could_call_is_refused(name):
    refused(validators.validate_function_name, name)


# Pictures


def picture(picture_format="PNG", size=(8, 8), name="a.png") -> ContentFile:
    buffer = io.BytesIO()
    Image.new("RGB", size).save(buffer, picture_format)
    return ContentFile(buffer.getvalue(), name=name)


@pytest.mark.parametrize("picture_format", ["PNG", "JPEG", "WEBP", "GIF"])
def test_raster_picture_is_taken_and_left_readable(picture_format):
    image = picture(picture_format)
    validators.validate_avatar(image)
    assert image.read(1)


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<html><script>alert(1)</script></html>",
        b"",
        picture("BMP").read(),
        picture("TIFF").read(),
    ],
    ids=["svg", "html", "empty", "bmp", "tiff"],
)
def test_other_content_under_a_pictures_name_is_refused(content):
    words = refused(validators.validate_avatar, ContentFile(content, name="a.png"))
    assert "PNG" in words


def test_picture_with_too_many_pixels_is_refused():
    assert "4096" in refused(validators.validate_avatar, picture(size=(4097, 1)))


def test_decompression_bomb_is_refused():
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk
    png += struct.pack(">I", zlib.crc32(chunk))
    refused(validators.validate_avatar, ContentFile(png, name="a.png"))


def test_picture_over_two_megabytes_is_refused():
    content = ContentFile(b"x" * (validators.MAX_AVATAR_BYTES + 1), name="a.png")
    assert "2 MB" in refused(validators.validate_avatar, content)
