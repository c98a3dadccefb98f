"""Every setting, its default and its unit.

A site sets what it wants to differ in one dict::

    REALTIME_WIDGET = {"MAX_SESSION_S": 300, "ENGINE": "http://127.0.0.1:11434/v1"}

``get_conf()`` is read when it is used, so ``override_settings`` works.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed

SETTING_NAME = "REALTIME_WIDGET"


@dataclass(frozen=True, slots=True)
class Conf:
    """Typed settings; the attribute names are the dict's keys."""

    # The embedded engine: "" for its own rules, the URL of a chat-completions API
    # ("http://127.0.0.1:11434/v1"), or a dict with DIALOGUE_URL, DIALOGUE_MODEL,
    # DIALOGUE_KEY_ENV, STT_MODEL_DIR, and dotted paths VAD, STT, TTS, DIALOGUE.
    ENGINE: str | Mapping[str, Any] = ""
    # Names of environment variables and settings a Provider row may read a key from.
    KEY_NAMES: tuple[str, ...] = ("OPENAI_API_KEY",)
    # Fernet keys that API keys in rows are encrypted with: the first encrypts, all of
    # them decrypt. Empty: keys made from SECRET_KEY and its fallbacks.
    FERNET_KEYS: tuple[str, ...] = ()
    # Hosts a Provider row may point at besides public ones ("127.0.0.1:8765").
    UPSTREAM_HOSTS: tuple[str, ...] = ()

    # How many processes serve the site; 0: WEB_CONCURRENCY says, or nobody does
    PROCESSES: int = 0

    # Opening a session
    TOKEN_TTL_S: float = 60.0
    START_TIMEOUT_S: float = 5.0
    # How long each question of an opening may wait while the database answers others.
    BUSY_DATABASE_S: float = 20.0
    SESSIONS_PER_PROCESS: int = 1_000
    SESSIONS_PER_WIDGET: int = 0  # 0: no bound
    SESSIONS_PER_USER: int = 2
    SESSIONS_PER_IP: int = 5
    OPENS_PER_MINUTE_PER_IP: int = 60
    OPEN_WITHOUT_CACHE: bool = True
    # What a session takes of a quota at once; what it does not use it gives back.
    QUOTA_SLICE_S: float = 30.0
    QUOTA_SLICE_TOKENS: int = 2_000
    QUOTA_SLICE_USD: float = 0.05
    # A call whose quota is used up may finish its answer for so long.
    QUOTA_GRACE_S: float = 10.0
    TRUSTED_PROXIES: int = 0  # how many X-Forwarded-For hops to believe

    # A server that stops: how long running calls may go on
    DRAINING_S: float = 10.0

    # A call whose page is lost without a word waits so long for it, with its connection
    # to the model; 0: it ends at once.
    KEEP_UPSTREAM_S: float = 30.0

    # One session
    MAX_SESSION_S: float = 600.0
    HARD_MAX_SESSION_S: float = 3_300.0
    IDLE_S: float = 120.0
    FRAME_BYTES: int = 128 * 1024
    MESSAGES_PER_S: float = 60.0
    MESSAGES_BURST: int = 120
    AUDIO_RATE: float = 1.25  # times real time
    AUDIO_BURST_S: float = 5.0
    TURNS_PER_S: float = 0.5
    TURNS_BURST: int = 10
    TEXT_CHARS: int = 4_000
    # With the longest text beside it, a frame must hold it as base64.
    PICTURE_BYTES: int = 90_000
    ERRORS_PER_SESSION: int = 15
    MAX_RESPONSE_AUDIO_S: float = 180.0
    PLAYBACK_LEAD_S: float = 2.5
    STALLED_BROWSER_S: float = 15.0
    # Audio of an answer that waits to be heard: each session's own share, and what
    # all sessions of a process share beyond it.
    WAITING_AUDIO_BYTES: int = 1536 * 1024
    SPARE_AUDIO_BYTES: int = 16 * 1024 * 1024
    OUTBOUND_BYTES: int = 1024 * 1024

    # Tools
    TOOL_TIMEOUT_S: float = 20.0
    TOOL_THREADS: int = 8
    TOOLS_AT_ONCE: int = 5
    TOOL_ARGUMENTS_BYTES: int = 64 * 1024
    TOOL_OUTPUT_BYTES: int = 32 * 1024
    TOOL_CALLS_PER_SESSION: int = 100
    TOOL_CALLS_PER_MINUTE: int = 30
    APPROVAL_S: float = 60.0
    FILLER_AFTER_S: float = 1.5
    GUARDRAIL_DEBOUNCE_CHARS: int = 100
    # Names of environment variables and settings a webhook's secret is read from.
    WEBHOOK_SECRETS: tuple[str, ...] = ()
    # Hosts a webhook may point at besides public ones ("127.0.0.1:9000").
    WEBHOOK_HOSTS: tuple[str, ...] = ()

    # The model's side
    UPSTREAM_OPEN_S: float = 10.0
    UPSTREAM_EVENT_BYTES: int = 4 * 1024 * 1024
    # A connection lost in the middle of a call may take so long to be replaced; 0: the
    # call ends.
    RECONNECT_S: float = 3.0
    # How long the provider lets a session live; 0: what is known of its kind.
    UPSTREAM_SESSION_S: float = 0.0
    UPSTREAM_DRIVER: str = "auto"  # or websockets, or picows
    # A provider that failed so often within this time is left alone for a while; 0
    # failures: never.
    BREAKER_FAILURES: int = 5
    BREAKER_WINDOW_S: float = 30.0
    BREAKER_OPEN_S: float = 30.0

    # Numbers for Prometheus: collect them, and the token that /realtime/metrics asks
    # for (which collects them, too); "": there is no such address.
    METRICS: bool = False
    METRICS_TOKEN: str = ""

    # Recorded sound: which of STORAGES keeps it. Keep it where no address leads.
    RECORDING_STORAGE: str = "default"
    # When `manage.py realtime_purge` deletes ended conversations and sound; 0: never.
    RETENTION_DAYS: int = 0
    RECORDING_DAYS: int = 0

    # Records
    # Dotted path of a function that takes out what must not be stored: it gets a text,
    # ``kind`` and ``language``, and returns what may be. "": all is stored.
    REDACT: str = ""
    # Writing takes turns with the calls' loop: what a full process collects in a second
    # held its frames up for tens of milliseconds when it was written at once.
    RECORD_FLUSH_S: float = 0.1
    RECORD_BATCH_ROWS: int = 100
    RECORD_QUEUE_ROWS: int = 1_000
    HEARTBEAT_S: float = 15.0

    # Keys that are in the dict but mean nothing; a system check names them.
    unknown: tuple[str, ...] = field(default=())


@cache
def get_conf() -> Conf:
    """Return the settings of this process, read once and again when they change."""
    given: Mapping[str, Any] = getattr(settings, SETTING_NAME, {})
    known = {f.name for f in fields(Conf)} - {"unknown"}
    return Conf(
        **{key: value for key, value in given.items() if key in known},
        unknown=tuple(key for key in given if key not in known),
    )


def _forget(*, setting: str, **_: object) -> None:
    if setting == SETTING_NAME:
        get_conf.cache_clear()


setting_changed.connect(_forget, dispatch_uid="realtime_widget.conf")
