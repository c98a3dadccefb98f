"""What the error codes of the Realtime API mean for a session.

Source: the Realtime API's error catalogue. Most ``error`` events are recoverable;
only the codes of ``FATAL`` end a session.
"""

from __future__ import annotations

from typing import Final

# Races that a correct client cannot avoid. They are counted, never shown.
BENIGN: Final = frozenset(
    {
        "input_audio_buffer_commit_empty",
        "response_cancel_not_active",
        "conversation_already_has_active_response",
        "item_truncate_invalid_item_id",
        "item_delete_invalid_item_id",
        "item_retrieve_invalid_item_id",
    }
)

# The session cannot go on -> code of the browser protocol's error table.
FATAL: Final[dict[str, str]] = {
    "invalid_api_key": "upstream_auth",
    "account_deactivated": "upstream_auth",
    "insufficient_quota": "upstream_quota",
    "credit_balance_exhausted": "upstream_quota",
    "billing_hard_limit_reached": "upstream_quota",
    "model_not_found": "upstream_refused",
    "beta_api_shape_disabled": "upstream_refused",
    "session_expired": "time_limit",
}

# The session goes on, and the visitor is told -> code of our error table.
SHOWN: Final[dict[str, str]] = {
    "rate_limit_exceeded": "response_failed",
    "server_error": "response_failed",
    "voice_unavailable": "voice_unavailable",
}

# A first ``session.update`` may be sent again without the field these blame.
FIELD_REJECTED: Final = frozenset({"unknown_parameter", "invalid_value"})

REFUSED_CLOSE_CODES: Final[dict[int, str]] = {3000: "upstream_auth"}


def code_of_close(close_code: int, reason: str) -> str | None:
    """Return our error code when a close frame refuses the session.

    Args:
        close_code: 3000 for a bad key, 4000 for other refusals.
        reason: ``<type>.<code>``, as in ``invalid_request_error.model_not_found``.

    Returns:
        A code of the browser protocol's error table, None for an ordinary close.
    """
    known = FATAL.get(reason.rpartition(".")[2])
    if known is not None:
        return known
    if close_code in REFUSED_CLOSE_CODES:
        return REFUSED_CLOSE_CODES[close_code]
    return "upstream_refused" if close_code == 4000 else None
