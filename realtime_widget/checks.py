"""System checks: one function for each mistake, one id for each function.

``E`` ids stop the site from starting, ``W`` ids are said and go on. Those that read
rows run with ``manage.py check --database default``. Those about several processes run
where several are known to serve the site, and with ``manage.py check --deploy``.
"""

from __future__ import annotations

import difflib
import functools
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Final, get_args

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError, connections, router
from django.utils.module_loading import import_string

from realtime_widget.conf import SETTING_NAME, Conf, get_conf
from realtime_widget.configs.functions import missing_functions
from realtime_widget.engine.options import SETTING_KEYS
from realtime_widget.handlers import registered
from realtime_widget.metrics import has_library
from realtime_widget.models import Agent, Conversation, FunctionHandler, Provider, Tool
from realtime_widget.models.sealing import usable_fernet_key
from realtime_widget.quotas import cache_is_shared
from realtime_widget.upstream.connection import has_picows
from realtime_widget.upstream.providers import Driver

TAG: Final = "realtime_widget"
ENGINE_KEYS: Final = tuple(SETTING_KEYS)
ENGINE_PATHS: Final = ("VAD", "STT", "TTS", "DIALOGUE")
IN_MEMORY_LAYER: Final = "channels.layers.InMemoryChannelLayer"
# 'nonce-...' is not enough: worklets are loaded without one.
OWN_SOURCES: Final = frozenset({"'self'", "*", "https:", "http:"})


def _nearest(name: str, names: Iterable[str]) -> str:
    by_lower = {known.lower(): known for known in names}
    matches = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
    return f"Did you mean {by_lower[matches[0]]}?" if matches else "Take it out."


def _nearest_function(name: str) -> str:
    matches = difflib.get_close_matches(name, registered, n=1, cutoff=0.6)
    return f"Did you mean {matches[0]}?" if matches else ""


def check_unknown_settings(**_: Any) -> list[CheckMessage]:
    """E001: a key of the dict that means nothing."""
    known = [f.name for f in fields(Conf) if f.name != "unknown"]
    found: list[tuple[str, Iterable[str]]] = [
        (key, known) for key in get_conf().unknown
    ]
    engine = get_conf().ENGINE
    if isinstance(engine, Mapping):
        found += [(key, ENGINE_KEYS) for key in engine if key not in ENGINE_KEYS]
    return [
        Error(
            f"{SETTING_NAME} has the unknown key {key!r}.",
            hint=_nearest(str(key), names),
            id="realtime_widget.E001",
        )
        for key, names in found
    ]


def check_setting_kinds(**_: Any) -> list[CheckMessage]:
    """E002: a value of the wrong kind, or a number below zero."""
    conf = get_conf()
    messages: list[CheckMessage] = []
    for field in fields(Conf):
        value, default = getattr(conf, field.name), field.default
        if isinstance(default, int | float):
            fits = isinstance(value, int | float) and value >= 0
            wanted = "a number, zero or more"
        elif isinstance(default, tuple):
            fits = isinstance(value, list | tuple | set | frozenset)
            wanted = "a list of names"
        else:
            fits = isinstance(value, str | Mapping)
            wanted = "a text or a dict"
        if not fits:
            messages.append(
                Error(
                    f"{SETTING_NAME}[{field.name!r}] must be {wanted}.",
                    id="realtime_widget.E002",
                )
            )
    return messages


def check_upstream_driver(**_: Any) -> list[CheckMessage]:
    """E008: the library for the model's side is unknown or not installed."""
    driver = get_conf().UPSTREAM_DRIVER
    if driver in get_args(Driver) and (driver != "picows" or has_picows()):
        return []
    known = driver in get_args(Driver)
    return [
        Error(
            f"{SETTING_NAME}['UPSTREAM_DRIVER'] names {driver!r}, which is "
            + ("not installed." if known else "no driver."),
            hint='Install it: pip install "django-realtime-widget[fast]".'
            if known
            else f"There are: {', '.join(get_args(Driver))}.",
            id="realtime_widget.E008",
        )
    ]


def check_asgi_application(**_: Any) -> list[CheckMessage]:
    """E003: no ASGI application, so no sockets."""
    if getattr(settings, "ASGI_APPLICATION", None):
        return []
    return [
        Error(
            "ASGI_APPLICATION is not set: the widget needs a WebSocket.",
            hint='Set ASGI_APPLICATION = "mysite.asgi.application" and wrap it with'
            " realtime_widget.routing.realtime_application in asgi.py.",
            id="realtime_widget.E003",
        )
    ]


def check_sites_framework(**_: Any) -> list[CheckMessage]:
    """E004: the rows refer to sites."""
    if apps.is_installed("django.contrib.sites"):
        return []
    return [
        Error(
            "django.contrib.sites is not in INSTALLED_APPS.",
            hint='Add "django.contrib.sites" to INSTALLED_APPS and set SITE_ID = 1.',
            id="realtime_widget.E004",
        )
    ]


def check_daphne_order(**_: Any) -> list[CheckMessage]:
    """E005: with daphne after staticfiles, runserver serves no sockets."""
    names = [config.name for config in apps.get_app_configs()]
    servers = [n for n in ("django.contrib.staticfiles", "daphne") if n in names]
    if servers != sorted(servers, key=names.index, reverse=True):
        return [
            Error(
                "daphne comes after django.contrib.staticfiles in INSTALLED_APPS.",
                hint="Put it first: else runserver answers no WebSocket.",
                id="realtime_widget.E005",
            )
        ]
    return []


def check_engine_paths(**_: Any) -> list[CheckMessage]:
    """E006: a part of the engine that cannot be imported."""
    engine = get_conf().ENGINE
    given = engine if isinstance(engine, Mapping) else {}
    messages: list[CheckMessage] = []
    for key in ENGINE_PATHS:
        if given.get(key):
            try:
                import_string(given[key])
            except (ImportError, TypeError, AttributeError) as exc:
                messages.append(
                    Error(
                        f"{SETTING_NAME}['ENGINE'][{key!r}] cannot be imported: {exc}",
                        id="realtime_widget.E006",
                    )
                )
    return messages


def check_key_names(**_: Any) -> list[CheckMessage]:
    """E007: whoever edits providers could have this secret sent away."""
    return [
        Error(
            f"{SETTING_NAME}['KEY_NAMES'] must not list {name}.",
            hint="List only names of keys of model providers.",
            id="realtime_widget.E007",
        )
        for name in get_conf().KEY_NAMES
        if name.startswith("SECRET_KEY")
    ]


def check_fernet_keys(**_: Any) -> list[CheckMessage]:
    """E009: API keys in rows could be neither stored nor read."""
    bad = sum(not usable_fernet_key(key) for key in get_conf().FERNET_KEYS)
    if not bad:
        return []
    return [
        Error(
            f"{bad} of {SETTING_NAME}['FERNET_KEYS'] is no Fernet key.",
            hint="A Fernet key is 32 bytes in URL-safe base64; make one with"
            " cryptography.fernet.Fernet.generate_key().",
            id="realtime_widget.E009",
        )
    ]


def check_metrics(**_: Any) -> list[CheckMessage]:
    """E010: numbers are wanted, and the library that keeps them is not there."""
    conf = get_conf()
    if has_library() or not (conf.METRICS or conf.METRICS_TOKEN):
        return []
    return [
        Error(
            f"{SETTING_NAME} asks for METRICS, but prometheus-client is not installed.",
            hint='Install it: pip install "django-realtime-widget[metrics]".',
            id="realtime_widget.E010",
        )
    ]


def check_redact(**_: Any) -> list[CheckMessage]:
    """E011: what is to redact the records is not there; then nothing is kept."""
    path = get_conf().REDACT
    try:
        usable = not path or callable(import_string(path))
    except Exception:
        # Whatever the module raises when it is imported.
        usable = False
    if usable:
        return []
    return [
        Error(
            f"{SETTING_NAME}['REDACT'] names {path!r}, which is no function.",
            hint="Until it is one, every text is stored as [redacted].",
            id="realtime_widget.E011",
        )
    ]


def check_server_apps(**_: Any) -> list[CheckMessage]:
    """W001: without them runserver speaks no WebSocket."""
    missing = [name for name in ("daphne", "channels") if not apps.is_installed(name)]
    if not missing:
        return []
    return [
        Warning(
            f"Not in INSTALLED_APPS: {', '.join(missing)}.",
            hint="Put daphne first and channels anywhere; without daphne, serve the site"
            " with another ASGI server than runserver.",
            id="realtime_widget.W001",
        )
    ]


def check_content_security_policy(**_: Any) -> list[CheckMessage]:
    """W002: a policy under which the widget's own files or socket are blocked."""
    policy = getattr(settings, "SECURE_CSP", None)
    if not policy:
        # The setting of django-csp.
        given = getattr(settings, "CONTENT_SECURITY_POLICY", None) or {}
        policy = given.get("DIRECTIVES", {})
    return [
        Warning(
            f"The Content-Security-Policy does not allow 'self' in {directive}.",
            hint=f"Add 'self' to {directive}: {reason}.",
            id="realtime_widget.W002",
        )
        for directive, reason in (
            (
                "script-src",
                "the widget's modules and audio worklets are files of this site",
            ),
            ("connect-src", "the widget opens a WebSocket to this site"),
            ("style-src", "the widget's style sheet is a file of this site"),
        )
        if not _allows_own(policy.get(directive, policy.get("default-src")))
    ]


def _allows_own(sources: str | Sequence[str] | None) -> bool:
    if sources is None:
        return True
    words = sources.split() if isinstance(sources, str) else [str(s) for s in sources]
    return not OWN_SOURCES.isdisjoint(words)


def check_permissions_policy(**_: Any) -> list[CheckMessage]:
    """W003: a header that switches the microphone off for the site's own pages."""
    policy = getattr(settings, "PERMISSIONS_POLICY", None) or {}
    given = policy.get("microphone", "self")
    allowed = [given] if isinstance(given, str) else given
    if "self" in allowed or "*" in allowed:
        return []
    return [
        Warning(
            "PERMISSIONS_POLICY switches the microphone off.",
            hint='Set PERMISSIONS_POLICY["microphone"] to "self".',
            id="realtime_widget.W003",
        )
    ]


def _processes() -> int:
    """Return how many processes serve the site, 0 when nobody says.

    ``WEB_CONCURRENCY`` is where uvicorn and gunicorn read their number of workers.
    """
    named = get_conf().PROCESSES
    given = os.environ.get("WEB_CONCURRENCY", "")
    return int(named) or (int(given) if given.isdecimal() else 0)


def _for_several(
    check: Callable[..., list[CheckMessage]], *, deploy: bool
) -> Callable[..., list[CheckMessage]]:
    """Return a check that is said where it matters, and once.

    Always when several processes are known to serve the site; with ``--deploy`` also
    when nobody says how many; never when it is one.
    """

    @functools.wraps(check)
    def run(**options: Any) -> list[CheckMessage]:
        processes = _processes()
        wanted = processes == 0 if deploy else processes > 1
        return check(**options) if wanted else []

    return run


ONE_PROCESS: Final = (
    f"If one process serves the whole site, set {SETTING_NAME}['PROCESSES'] to 1."
)


def check_channel_layer(**_: Any) -> list[CheckMessage]:
    """W004: processes that cannot hear each other."""
    layers = getattr(settings, "CHANNEL_LAYERS", None) or {}
    backend = layers.get("default", {}).get("BACKEND", IN_MEMORY_LAYER)
    if backend != IN_MEMORY_LAYER:
        return []
    return [
        Warning(
            "There is no channel layer that several processes share:"
            " no process can end another's call.",
            hint="Set CHANNEL_LAYERS to"
            f" channels_redis.pubsub.RedisPubSubChannelLayer. {ONE_PROCESS}",
            id="realtime_widget.W004",
        )
    ]


def check_cache(**_: Any) -> list[CheckMessage]:
    """W007: processes that do not know which tokens were used."""
    if cache_is_shared():
        return []
    backend = settings.CACHES.get("default", {}).get("BACKEND", "")
    return [
        Warning(
            f"The default cache ({backend.rpartition('.')[2]}) is each process's own: a"
            " token could be used once in each, and limits would count in each.",
            hint="Set CACHES['default'] to"
            f" django.core.cache.backends.redis.RedisCache. {ONE_PROCESS}",
            id="realtime_widget.W007",
        )
    ]


def check_database(**_: Any) -> list[CheckMessage]:
    """W008: a database file that several processes would wait for."""
    vendor = connections[router.db_for_write(Conversation)].vendor
    if vendor != "sqlite":
        return []
    return [
        Warning(
            "The records are in SQLite, which lets one process write at a time.",
            hint=f"Use PostgreSQL. {ONE_PROCESS}",
            id="realtime_widget.W008",
        )
    ]


def check_tool_functions(
    databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """W005: an enabled tool whose function does not exist."""
    if not _can_read(Tool, databases):
        return []
    rows = list(FunctionHandler.objects.values_list("tool_id", "kind", "handler"))
    messages: list[CheckMessage] = []
    for tool in Tool.objects.filter(enabled=True, runs_on=Tool.RunsOn.SERVER):
        named = {name: kind for tool_id, kind, name in rows if tool_id == tool.pk}
        functions = [
            n for n, kind in named.items() if kind == FunctionHandler.Kind.FUNCTION
        ]
        messages += [
            Warning(
                f"The tool {tool.name} needs the function {name}, which does not exist.",
                hint="Mark it with @function_handler in a realtime_tools.py of an installed"
                " app, or choose another in the admin. " + _nearest_function(name),
                obj=tool,
                id="realtime_widget.W005",
            )
            for name in (functions if named else [tool.name])
            if name not in registered
        ]
    return messages


def check_named_functions(
    databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """W009: an agent, a guardrail or an MCP server names a function in vain."""
    if not _can_read(Agent, databases):
        return []
    return [
        Warning(
            f"{row} names the function {name}, which does not exist.",
            hint="Sessions go without it. " + _nearest(name, known),
            obj=row,
            id="realtime_widget.W009",
        )
        for row, name, known in missing_functions()
    ]


def check_provider_keys(
    databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """W006: a provider in use whose key is not set."""
    if not _can_read(Provider, databases):
        return []
    if check_fernet_keys():
        return []  # said already; nothing stored can be read
    return [
        Warning(
            f"The key of the provider {provider.name} is not set:"
            f" {key.name or 'the stored one cannot be decrypted'}.",
            hint="Set this variable in the environment of the server, and list its name in"
            f" {SETTING_NAME}['KEY_NAMES']. Store a key that cannot be decrypted anew.",
            obj=provider,
            id="realtime_widget.W006",
        )
        for provider in Provider.objects.filter(widgets__enabled=True).distinct()
        for key in provider.found_keys()
        if not key.value
    ]


def _can_read(model: Any, databases: Sequence[str] | None) -> bool:
    """Return whether the check may read this table: it also runs before migrations."""
    alias = router.db_for_read(model)
    if alias not in (databases or ()):
        return False
    try:
        return model._meta.db_table in connections[alias].introspection.table_names()
    except DatabaseError:
        # A database that is away is reported by whoever needs it, not by a check.
        return False


ALWAYS: Final[tuple[Callable[..., list[CheckMessage]], ...]] = (
    check_unknown_settings,
    check_setting_kinds,
    check_upstream_driver,
    check_asgi_application,
    check_sites_framework,
    check_daphne_order,
    check_engine_paths,
    check_key_names,
    check_fernet_keys,
    check_metrics,
    check_redact,
    check_server_apps,
    check_content_security_policy,
    check_permissions_policy,
)
WITH_DATABASE: Final = (
    check_tool_functions,
    check_named_functions,
    check_provider_keys,
)
_SHARING: Final = (check_channel_layer, check_cache, check_database)
# Made once: the app may be made ready again, and a check is known by its function.
WHEN_SEVERAL: Final = [_for_several(check, deploy=False) for check in _SHARING]
WHEN_DEPLOYED: Final = [_for_several(check, deploy=True) for check in _SHARING]


def register_checks() -> None:
    """Make the checks known to Django; called once, when the app is ready."""
    for check in ALWAYS:
        register(check, TAG)
    for check in WITH_DATABASE:
        register(check, TAG, Tags.database)
    for check in WHEN_SEVERAL:
        register(check, TAG)
    for check in WHEN_DEPLOYED:
        register(check, TAG, deploy=True)
