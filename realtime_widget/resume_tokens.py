"""The token with which a page may go on with its conversation.

It names the sessions of the conversation, the newest last, and is good for the same
visitor, widget, site and origin alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.core.signing import BadSignature, TimestampSigner
from django.utils.crypto import constant_time_compare

from realtime_widget.admission import Binding
from realtime_widget.conf import get_conf

SALT: Final = "realtime_widget.resume"
# A conversation that ended longer ago is not gone on with.
RESUME_S: Final = 120.0
# Sessions one conversation may be made of.
MAX_SESSIONS: Final = 20
MAX_TOKEN_CHARS: Final = 2_000


def resume_token(sessions: Sequence[str], binding: Binding, site_id: Any) -> str:
    """Return a token for a conversation of these sessions, of which the newest count.

    Args:
        sessions: Their ids, the newest last.
        binding: Who may use it.
        site_id: Where.
    """
    chain = list(sessions)[-MAX_SESSIONS:]
    claims = {"b": _digest(binding, site_id), "c": chain}
    return TimestampSigner(salt=SALT).sign_object(claims)


def sessions_of(token: object, binding: Binding, site_id: Any) -> tuple[str, ...]:
    """Return the sessions of the conversation that a page wants to go on with.

    Args:
        token: As the page sent it.
        binding: Who asks.
        site_id: Where.

    Returns:
        Their ids, the newest last; nothing without a token, or with one that is
        forged, too old, or somebody else's.
    """
    if not isinstance(token, str) or not 0 < len(token) <= MAX_TOKEN_CHARS:
        return ()
    max_age_s = get_conf().HARD_MAX_SESSION_S + RESUME_S
    try:
        claims = TimestampSigner(salt=SALT).unsign_object(token, max_age=max_age_s)
    except (BadSignature, ValueError):
        return ()
    if not constant_time_compare(claims["b"], _digest(binding, site_id)):
        return ()
    return tuple(claims["c"])


def _digest(binding: Binding, site_id: Any) -> str:
    """Return who may use the token; the site is bound with the widget's address."""
    return f"{site_id}:{binding.digest()}"
