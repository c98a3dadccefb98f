"""Who may open a session: exact origins and tokens that work once.

A token is made of letters, digits, ``-``, ``_`` and ``.`` because it travels as
the name of a WebSocket subprotocol.
"""

from __future__ import annotations

import logging
import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from django.core.cache import cache
from django.core.signing import BadSignature, TimestampSigner
from django.utils.crypto import constant_time_compare, salted_hmac

from realtime_widget.conf import get_conf
from realtime_widget.exceptions import AdmissionRefused
from realtime_widget.protocol.browser import CloseCode

logger = logging.getLogger(__name__)

SALT = "realtime_widget.admission"
SESSION_SALT = "realtime_widget.session_key"
CACHE_PREFIX = "realtime_widget:spent:"
DEFAULT_PORTS = {"http": 80, "https": 443}
# Names and IPv4 addresses, or IPv6 addresses without their brackets.
HOST = re.compile(r"[a-z0-9_.-]+|[0-9a-f:.]+")
MAX_ORIGIN_CHARS = 300
MAX_TOKEN_CHARS = 1_000
# Spent ids that one process keeps while the cache is away.
SPENT_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a page comes from: scheme, host and port, all of them.

    Attributes:
        scheme: ``http`` or ``https``.
        host: Lower case, without brackets.
        port: Always a number, the scheme's own when none was written.
    """

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        """Return the origin as a browser writes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.port == DEFAULT_PORTS[self.scheme]:
            return f"{self.scheme}://{host}"
        return f"{self.scheme}://{host}:{self.port}"


def parse_origin(value: str) -> Origin | None:
    """Return the origin, or None for everything that is not exactly one.

    ``null``, paths, user names, odd ports and addresses that ``urlsplit`` itself
    refuses are all None.
    """
    if len(value) > MAX_ORIGIN_CHARS or not value.isascii() or not value.isprintable():
        return None
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    if parts.scheme not in DEFAULT_PORTS or port == 0 or not HOST.fullmatch(host):
        return None
    origin = Origin(parts.scheme, host, port or DEFAULT_PORTS[parts.scheme])
    # Anything beside scheme, host and port (or an odd way to write them) differs here.
    written = value.lower().removesuffix(f":{DEFAULT_PORTS[parts.scheme]}")
    return origin if written == str(origin) else None


def origin_allowed(origin: Origin, own: Origin | None, allowed: Iterable[str]) -> bool:
    """Tell whether a page of ``origin`` may use a widget.

    Args:
        origin: The page's.
        own: The site's, None when it is not known.
        allowed: The widget's list, written as browsers write origins.
    """
    return origin == own or any(parse_origin(text) == origin for text in allowed)


@dataclass(frozen=True, slots=True)
class Binding:
    """What a token is good for; it is worthless anywhere else.

    Attributes:
        widget: Slug.
        origin: The page's origin as text.
        user: Primary key of the signed-in user as text, "" for none.
        session_key: Key of the Django session, "" for none.
    """

    widget: str
    origin: str
    user: str = ""
    session_key: str = ""

    def anonymous(self) -> Binding:
        """Return the same for nobody: a page of another site acts for no user."""
        return replace(self, user="", session_key="")

    def digest(self) -> str:
        """Return a keyed hash, so that the token itself tells nothing."""
        parts = (self.widget, self.origin, self.user, self.session_key)
        return salted_hmac(SALT, "\n".join(parts), algorithm="sha256").hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Pass:
    """What a spent token grants.

    Attributes:
        site_id: The site it was issued on.
        own: Whether the page belongs to that site; only then may the session act
            for the signed-in user.
        consent: Fingerprint of the words the visitor agreed to, "" for none.
    """

    site_id: int | None
    own: bool
    consent: str = ""


def session_fingerprint(session_key: str) -> str:
    """Return what records keep of a browser session: a keyed hash, "" for none."""
    if not session_key:
        return ""
    return salted_hmac(SESSION_SALT, session_key, algorithm="sha256").hexdigest()


def issue_token(binding: Binding, granted: Pass) -> str:
    """Return a token that opens one session within ``TOKEN_TTL_S`` seconds."""
    bound = binding if granted.own else binding.anonymous()
    claims = {
        "j": secrets.token_urlsafe(16),
        "b": bound.digest(),
        "s": granted.site_id,
        "o": granted.own,
        "c": granted.consent,
    }
    return TimestampSigner(salt=SALT, sep=".").sign_object(claims)


def spend_token(token: str, binding: Binding) -> Pass:
    """Use a token up.

    Asks the cache, so it may block: call it from a thread.

    Raises:
        AdmissionRefused: The same for a missing, forged, expired, foreign or used
            token, so that nobody learns which it was. Another one if the cache is away
            and the site wants no sessions without it.
    """
    ttl_s = get_conf().TOKEN_TTL_S
    refused = AdmissionRefused("token refused", close_code=CloseCode.TOKEN)
    if len(token) > MAX_TOKEN_CHARS:
        raise refused
    try:
        claims = TimestampSigner(salt=SALT, sep=".").unsign_object(token, max_age=ttl_s)
    except (BadSignature, ValueError):
        raise refused from None
    granted = Pass(claims["s"], claims["o"], claims["c"])
    bound = binding if granted.own else binding.anonymous()
    if not constant_time_compare(claims["b"], bound.digest()):
        raise refused
    if not _first_use(claims["j"], ttl_s):
        raise refused
    return granted


_spent: OrderedDict[str, float] = OrderedDict()
_spent_lock = threading.Lock()


def _first_use(token_id: str, ttl_s: float) -> bool:
    """Tell whether this id was never seen, by any process that shares the cache."""
    now_s = time.monotonic()
    with _spent_lock:
        if token_id in _spent:
            return False
        _spent[token_id] = now_s + ttl_s
        while _spent and (
            len(_spent) > SPENT_KEPT or next(iter(_spent.values())) < now_s
        ):
            _spent.popitem(last=False)
    try:
        return bool(cache.add(CACHE_PREFIX + token_id, 1, timeout=int(ttl_s) + 5))
    except Exception:
        # The cache is away: this process still knows what was spent here.
        logger.warning("Cache unavailable, tokens are checked in this process only")
        if not get_conf().OPEN_WITHOUT_CACHE:
            raise AdmissionRefused(
                "cache unavailable", close_code=CloseCode.ERROR
            ) from None
        return True


def single_origin(headers: Sequence[tuple[bytes, bytes]]) -> Origin | None:
    """Return the origin of an ASGI scope's headers; None for none or several."""
    values = [value for name, value in headers if name == b"origin"]
    if len(values) != 1:
        return None
    return parse_origin(values[0].decode("latin1"))
