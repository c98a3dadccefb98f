"""One test for each check's id."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.contrib.sites.models import Site
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection
from django.test import modify_settings, override_settings

from realtime_widget import checks
from realtime_widget.models import Agent, FunctionHandler, Guardrail, Provider, Tool
from tests.app.rows import make_widget


def ids(messages) -> list[str]:
    return [message.id.removeprefix("realtime_widget.") for message in messages]


def test_settings_of_the_test_site_are_clean():
    call_command("check", fail_level="WARNING")
    assert run_checks(tags=[checks.TAG], databases=[]) == []


@override_settings(REALTIME_WIDGET={"MAX_SESION_S": 3})
def test_e001_unknown_setting_names_the_nearest():
    (message,) = run_checks(tags=[checks.TAG], databases=[])
    assert ids([message]) == ["E001"]
    assert "MAX_SESSION_S" in message.hint


@pytest.mark.parametrize(
    ("driver", "installed", "hint"),
    [("picow", True, "picows"), ("picows", False, "[fast]"), ("picows", True, None)],
)
def test_e008_a_driver_that_is_not_there(driver, installed, hint, monkeypatch):
    monkeypatch.setattr(checks, "has_picows", lambda: installed)
    with override_settings(REALTIME_WIDGET={"UPSTREAM_DRIVER": driver}):
        messages = run_checks(tags=[checks.TAG], databases=[])
    assert ids(messages) == (["E008"] if hint else [])
    assert all(hint in message.hint for message in messages)


@override_settings(REALTIME_WIDGET={"ENGINE": {"DIALOG_URL": "x"}})
def test_e001_unknown_key_of_the_engine_names_the_nearest():
    (message,) = run_checks(tags=[checks.TAG], databases=[])
    assert ids([message]) == ["E001"]
    assert "DIALOGUE_URL" in message.hint


@pytest.mark.parametrize(
    "given",
    [
        {"IDLE_S": "long"},
        {"IDLE_S": -1},
        {"KEY_NAMES": "OPENAI_API_KEY"},
        {"ENGINE": 7},
    ],
)
def test_e002_value_of_the_wrong_kind(given):
    with override_settings(REALTIME_WIDGET=given):
        assert ids(checks.check_setting_kinds()) == ["E002"]


@override_settings(ASGI_APPLICATION=None)
def test_e003_no_asgi_application():
    assert ids(run_checks(tags=[checks.TAG], databases=[])) == ["E003"]


@modify_settings(INSTALLED_APPS={"remove": ["django.contrib.sites"]})
def test_e004_no_sites_framework():
    assert ids(checks.check_sites_framework()) == ["E004"]


def test_e004_is_said_by_a_real_site_without_the_framework():
    program = """
import django
from django.conf import settings
apps = "admin auth contenttypes messages sessions".split()
settings.configure(
    INSTALLED_APPS=["channels", *(f"django.contrib.{a}" for a in apps), "realtime_widget"],
    ASGI_APPLICATION="x",
    SECRET_KEY="x",
)
django.setup()
from django.core.management import call_command
from django.db import connection
call_command("check")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "realtime_widget.E004" in done.stderr
    assert "AttributeError" not in done.stderr


def test_e005_daphne_after_staticfiles():
    apps = ["django.contrib.contenttypes", "django.contrib.staticfiles", "daphne"]
    with override_settings(INSTALLED_APPS=apps):
        assert ids(checks.check_daphne_order()) == ["E005"]
    with override_settings(INSTALLED_APPS=[apps[0], apps[2], apps[1]]):
        assert checks.check_daphne_order() == []
    with override_settings(INSTALLED_APPS=apps[:2]):
        assert checks.check_daphne_order() == []


@pytest.mark.parametrize("path", ["nowhere.at.all", "json.nothing", "json"])
def test_e006_engine_part_that_cannot_be_imported(path):
    with override_settings(REALTIME_WIDGET={"ENGINE": {"STT": path}}):
        assert ids(checks.check_engine_paths()) == ["E006"]


def test_e006_engine_part_that_can_be_imported_is_fine():
    with override_settings(REALTIME_WIDGET={"ENGINE": {"STT": "json.JSONEncoder"}}):
        assert checks.check_engine_paths() == []


@override_settings(REALTIME_WIDGET={"KEY_NAMES": ["OPENAI_API_KEY", "SECRET_KEY"]})
def test_e007_key_names_with_the_sites_own_secret():
    assert ids(checks.check_key_names()) == ["E007"]


@modify_settings(INSTALLED_APPS={"remove": ["daphne", "channels"]})
def test_w001_no_socket_server():
    (message,) = checks.check_server_apps()
    assert ids([message]) == ["W001"]
    assert "daphne, channels" in message.msg


@pytest.mark.parametrize(
    ("policy", "directives"),
    [
        ({"default-src": ["'self'"]}, []),
        ({"default-src": "'self'"}, []),
        ({"img-src": ["x.example"]}, []),
        ({"default-src": ["'none'"]}, ["script-src", "connect-src", "style-src"]),
        ({"default-src": ["'self'"], "script-src": ["'nonce-x'"]}, ["script-src"]),
        ({"default-src": ["'self'"], "connect-src": ["api.example"]}, ["connect-src"]),
        ({"script-src": ["https:"], "style-src": ("'self'",)}, []),
    ],
)
@pytest.mark.parametrize("package", ["django", "django-csp"])
def test_w002_policy_that_blocks_the_widget(package, policy, directives):
    given = (
        {"SECURE_CSP": policy}
        if package == "django"
        else {"CONTENT_SECURITY_POLICY": {"DIRECTIVES": policy}}
    )
    with override_settings(**given):
        messages = checks.check_content_security_policy()
    assert ids(messages) == ["W002"] * len(directives)
    assert [m.msg.split()[-1].rstrip(".") for m in messages] == directives


@pytest.mark.parametrize(
    ("allowed", "found"), [([], ["W003"]), ("self", []), (["self"], []), ("*", []), ("none", ["W003"])]
)  # fmt: skip
def test_w003_microphone_switched_off(allowed, found):
    with override_settings(PERMISSIONS_POLICY={"microphone": allowed}):
        assert ids(checks.check_permissions_policy()) == found


SHARED = {
    "CHANNEL_LAYERS": {"default": {"BACKEND": "channels_redis.pubsub.X"}},
    "CACHES": {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache"}},
}
SEVERAL = {"W004", "W007", "W008"}


def said(*, deploy=False):
    return ids(
        run_checks(tags=[checks.TAG], include_deployment_checks=deploy, databases=[])
    )


def on_sqlite(found):
    """Return what is found, without W008 where the suite runs on PostgreSQL."""
    return {one for one in found if one != "W008" or connection.vendor == "sqlite"}


@pytest.mark.parametrize(
    ("given", "workers", "always", "with_deploy"),
    [
        ({}, "", set(), SEVERAL),
        ({"PROCESSES": 1}, "", set(), set()),
        ({"PROCESSES": 2}, "", SEVERAL, SEVERAL),
        ({}, "4", SEVERAL, SEVERAL),
        ({}, "1", set(), set()),
        ({}, "many", set(), SEVERAL),
        ({"PROCESSES": 1}, "4", set(), set()),
    ],
)
def test_what_several_processes_lack_is_said_once_where_it_matters(
    monkeypatch, given, workers, always, with_deploy
):
    monkeypatch.setenv("WEB_CONCURRENCY", workers)
    with override_settings(REALTIME_WIDGET=given):
        assert sorted(said()) == sorted(on_sqlite(always))
        assert sorted(said(deploy=True)) == sorted(on_sqlite(with_deploy))


@override_settings(REALTIME_WIDGET={"PROCESSES": 2}, **SHARED)
def test_what_processes_share_is_fine():
    assert set(said()) == on_sqlite({"W008"})


@override_settings(CHANNEL_LAYERS={})
def test_w004_no_layer_at_all():
    (message,) = checks.check_channel_layer()
    assert ids([message]) == ["W004"]
    assert "RedisPubSubChannelLayer" in message.hint


@pytest.mark.parametrize("backend", ["locmem.LocMemCache", "dummy.DummyCache"])
def test_w007_cache_of_each_process(backend):
    name = f"django.core.cache.backends.{backend}"
    with override_settings(CACHES={"default": {"BACKEND": name}}):
        (message,) = checks.check_cache()
    assert ids([message]) == ["W007"]
    assert backend.partition(".")[2] in message.msg


@pytest.mark.parametrize(("vendor", "found"), [("sqlite", ["W008"]), ("mysql", [])])
def test_w008_records_in_a_file(monkeypatch, vendor, found):
    monkeypatch.setattr(connection, "vendor", vendor)
    assert ids(checks.check_database()) == found


@pytest.mark.django_db
def test_w005_tool_without_its_function():
    Tool.objects.create(name="order_status")
    Tool.objects.create(name="off", enabled=False)
    lost = Tool.objects.create(name="order_statu")
    moved = Tool.objects.create(name="moved")
    FunctionHandler.objects.create(tool=moved, handler="whoami")
    FunctionHandler.objects.create(tool=moved, handler="gone", site=Site.objects.get())
    messages = run_checks(tags=[checks.TAG], databases=["default"])
    assert ids(messages) == ["W005", "W005"]
    assert {message.obj for message in messages} == {lost, moved}
    assert "order_status" in next(m.hint for m in messages if m.obj == lost)


@pytest.mark.django_db
def test_w009_names_of_functions_that_are_not_there():
    agent = Agent.objects.create(
        name="Ada", on_handoff="order_statu", handoff_filter="without_tools"
    )
    gone = Guardrail.objects.create(name="rail", function="vanished")
    messages = checks.check_named_functions(databases=["default"])
    assert ids(messages) == ["W009", "W009"]
    assert [message.obj for message in messages] == [agent, gone]
    assert "order_status" in messages[0].hint
    assert checks.check_named_functions() == []


@pytest.mark.django_db
def test_w006_provider_in_use_without_its_key(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    provider = Provider.objects.create(
        name="P", kind="openai", key_name="OPENAI_API_KEY"
    )
    assert checks.check_provider_keys(databases=["default"]) == []
    make_widget(provider=provider)
    assert ids(checks.check_provider_keys(databases=["default"])) == ["W006"]
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    assert checks.check_provider_keys(databases=["default"]) == []


@pytest.mark.django_db
def test_rows_are_read_only_when_a_database_is_named(django_assert_num_queries):
    with django_assert_num_queries(0):
        run_checks(tags=[checks.TAG], databases=[])
