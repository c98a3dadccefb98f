"""The tag, in both template languages."""

from __future__ import annotations

import json
import logging
import re

import pytest
from django.contrib.sites.models import Site
from django.template import TemplateSyntaxError, engines
from django.test import RequestFactory, override_settings
from django.utils.translation import override

from realtime_widget.jinja import environment
from realtime_widget.models import Button, ButtonSet
from tests.app.rows import make_widget

pytestmark = pytest.mark.django_db

TAGS = {
    "django": '{% load realtime_widget %}{% realtime_widget "support" %}',
    "jinja2": '{{ realtime_widget("support") }}',
}
SCRIPT = re.compile(r'<script type="module" src="([^"]+)"( nonce="([^"]*)")?></script>')
STYLES = re.compile(r'<link rel="stylesheet" href="([^"]+)"( nonce="([^"]*)")?>')
DATA = re.compile(
    r'<script id="([^"]+)" type="application/json">(.*?)</script>', re.DOTALL
)


class LazyNonce:
    """Like Django's and django-csp's: false until someone writes it out."""

    used = False

    def __bool__(self) -> bool:
        return self.used

    def __str__(self) -> str:
        self.used = True
        return "n0nce"


def show(engine: str, source: str = "", request=None, **context) -> str:
    template = engines[engine].from_string(source or TAGS[engine])
    return template.render(context, request or RequestFactory().get("/"))


@pytest.fixture(params=["django", "jinja2"])
def engine(request) -> str:
    return request.param


def test_tag_renders_element_configuration_and_script(engine):
    make_widget()
    html = show(engine)
    assert (
        '<realtime-widget slug="support" config="realtime-widget-support-1"'
        ' form="inline" lang="en" dir="ltr"><p>Please turn on JavaScript to talk to our assistant.</p></realtime-widget>'
    ) in html
    (config_id, data) = DATA.search(html).groups()
    assert config_id == "realtime-widget-support-1"
    assert json.loads(data)["slug"] == "support"
    assert SCRIPT.search(html)[1] == "/static/realtime_widget/realtime-widget.js"
    assert STYLES.search(html)[1] == "/static/realtime_widget/realtime-widget.css"
    assert html.index("<link") < html.index("<realtime-widget")
    assert "nonce" not in html


def test_both_languages_render_the_same():
    make_widget()
    assert show("django") == show("jinja2")


def test_ready_made_jinja_environment_knows_the_tag():
    make_widget()
    template = environment(autoescape=True).from_string(TAGS["jinja2"])
    assert "<realtime-widget" in template.render(request=RequestFactory().get("/"))


def test_page_in_arabic_is_written_from_the_right(engine):
    make_widget()
    with override("ar"):
        html = show(engine)
    assert 'lang="ar" dir="rtl"' in html


def test_several_tags_have_ids_of_their_own_and_one_script(engine):
    make_widget()
    make_widget("sales")
    source = TAGS[engine] + TAGS[engine] + TAGS[engine].replace("support", "sales")
    html = show(engine, source)
    ids = [match[1] for match in DATA.finditer(html)]
    assert ids == [
        "realtime-widget-support-1",
        "realtime-widget-support-2",
        "realtime-widget-sales-3",
    ]
    assert len(SCRIPT.findall(html)) == len(STYLES.findall(html)) == 1


def test_next_page_gets_its_script_again(engine):
    make_widget()
    assert SCRIPT.search(show(engine))
    assert SCRIPT.search(show(engine))


def test_script_can_be_asked_for_and_left_out(engine):
    make_widget()
    asked = TAGS[engine].replace('"support"', '"support", script=True')
    left = TAGS[engine].replace('"support"', '"support", script=False')
    if engine == "django":
        asked, left = asked.replace(",", ""), left.replace(",", "")
    assert len(SCRIPT.findall(show(engine, asked + asked))) == 2
    assert not SCRIPT.search(show(engine, left))
    assert not STYLES.search(show(engine, left))


def test_tag_without_a_request_works_with_ids_of_its_own():
    make_widget()
    source = TAGS["django"] * 2
    html = engines["django"].from_string(source).render({})
    first, second = (match[1] for match in DATA.finditer(html))
    assert first != second


@pytest.mark.parametrize("where", ["context", "django-csp", "django"])
def test_nonce_of_the_page_is_on_the_script_and_the_style_sheet(engine, where):
    make_widget()
    request = RequestFactory().get("/")
    context = {}
    if where == "context":
        context["csp_nonce"] = LazyNonce()
    elif where == "django-csp":
        request.csp_nonce = LazyNonce()
    else:
        request._csp_nonce = LazyNonce()
    html = show(engine, request=request, **context)
    assert SCRIPT.search(html)[3] == STYLES.search(html)[3] == "n0nce"


@override_settings(DEBUG=True)
@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"enabled": False}, "switched off"),
        ({"slug": "sales"}, "no widget of this slug"),
    ],
)
def test_missing_widget_is_a_clear_error_in_debug(engine, fields, why):
    make_widget("known")
    make_widget(**fields)
    with pytest.raises(TemplateSyntaxError, match=why) as caught:
        show(engine)
    assert "known" in str(caught.value)


@override_settings(DEBUG=True)
def test_widget_of_another_site_is_named_so_in_debug(engine):
    make_widget().sites.add(Site.objects.create(domain="other.example", name="Other"))
    with pytest.raises(TemplateSyntaxError, match="not shown on the site example.com"):
        show(engine)


def test_missing_widget_is_a_comment_and_one_log_line_else(engine, caplog):
    with caplog.at_level(logging.WARNING):
        html = show(engine)
    assert html == "<!-- realtime-widget: not available here -->"
    (record,) = caplog.records
    assert "support" in record.getMessage()


def test_hostile_slug_reaches_neither_page_nor_a_second_log_line(caplog):
    source = "{% load realtime_widget %}{% realtime_widget slug %}"
    slug = "--><script>alert(1)</script>\nforged line"
    with caplog.at_level(logging.WARNING):
        html = show("django", source, slug=slug)
    assert "script" not in html
    assert "\n" not in caplog.records[0].getMessage()


def test_words_of_a_row_cannot_leave_the_configuration(engine):
    make_widget(title="</script><script>alert(1)</script>", greeting="<!--")
    html = show(engine)
    assert "<script>alert" not in html
    assert json.loads(DATA.search(html)[2])["title"].startswith("</script>")


def test_tag_takes_few_queries(engine, django_assert_num_queries):
    make_widget()
    show(engine)
    Site.objects.get_current()
    with django_assert_num_queries(1):
        show(engine)


def test_buttons_cost_one_query_more(engine, django_assert_num_queries):
    buttons = ButtonSet.objects.create(name="B")
    for state in ("default", "active", "unavailable"):
        Button.objects.create(button_set=buttons, kind="toggle", state=state)
    make_widget(buttons=buttons)
    Site.objects.get_current()
    with django_assert_num_queries(2):
        show(engine)


def test_tag_on_a_real_page(client):
    make_widget()
    for address in ("/page/support/", "/jinja/support/"):
        # The middleware leaves its language active; the next test must not meet it.
        with override("en"):
            response = client.get(address, headers={"accept-language": "de"})
        html = response.content.decode()
        assert "<realtime-widget" in html
        assert 'lang="de"' in html
