"""What visitors agree to and think: written at once, for each is asked for alone."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from realtime_widget.models import Consent, Conversation, Feedback, Item, Widget
from realtime_widget.models.opinions import MAX_COMMENT_CHARS, words_hash
from realtime_widget.recorder.redaction import redacted
from realtime_widget.signals import feedback_given

# An opinion about a conversation of yesterday is still one; later ids are no keys.
FEEDBACK_DAYS = 1
MAX_ID_CHARS = 100
MAX_OPINIONS = 500


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who agrees, as far as it is known.

    Attributes:
        user: Primary key of the signed-in user as text, "" for none.
        session_key_hash: Fingerprint of the browser session, "" for none.
        language: Of the page.
        origin: Of the page.
    """

    user: str
    session_key_hash: str
    language: str
    origin: str


def record_consent(widget: Widget, visitor: Visitor) -> Consent:
    """Write down that a visitor agreed to the words as they are now."""
    users = get_user_model()._default_manager
    known = bool(visitor.user) and users.filter(pk=visitor.user).exists()
    return Consent.objects.create(
        widget=widget,
        widget_slug=widget.slug,
        user_id=visitor.user if known else None,
        session_key_hash=visitor.session_key_hash,
        words=widget.consent_text,
        words_hash=words_hash(widget.consent_text),
        language=visitor.language[:35],
        origin=visitor.origin[:300],
    )


def record_feedback(widget: Widget, given: Mapping[str, Any]) -> bool:
    """Write down an opinion; a later one of the same answer replaces it.

    Args:
        widget: Whose conversation it was.
        given: ``session_id``, and any of ``item_id``, ``rating`` and ``comment``.

    Returns:
        Whether there is something in it, and such a conversation and answer.
    """
    texts = {name: given.get(name, "") for name in ("item_id", "rating", "comment")}
    session_id = given.get("session_id")
    if not all(isinstance(text, str) for text in (session_id, *texts.values())):
        return False
    if texts["rating"] not in Feedback.Rating.values:
        return False
    comment = texts["comment"].strip()
    item_id = texts["item_id"]
    too_long = len(comment) > MAX_COMMENT_CHARS or len(item_id) > MAX_ID_CHARS
    if too_long or not (texts["rating"] or comment):
        return False
    conversation = _conversation(widget, str(session_id))
    if conversation is None or not _may_be_answer(conversation, item_id):
        return False
    feedback, _ = Feedback.objects.update_or_create(
        conversation=conversation,
        item_id=item_id,
        defaults={
            "rating": texts["rating"],
            "comment": redacted(comment, "comment", conversation.language),
        },
    )
    feedback_given.send_robust(
        Conversation, conversation=conversation, feedback=feedback
    )
    return True


def _conversation(widget: Widget, session_id: str) -> Conversation | None:
    try:
        wanted = uuid.UUID(session_id)
    except ValueError:
        return None
    since = timezone.now() - timedelta(days=FEEDBACK_DAYS)
    rows = Conversation.objects.filter(widget=widget, started_at__gte=since)
    return rows.filter(pk=wanted).first()


def _may_be_answer(conversation: Conversation, item_id: str) -> bool:
    """Return whether it can be an answer of this conversation, or no item is named.

    An answer's own row may not be written yet, so an unknown id is believed.
    """
    if not item_id:
        return True
    if not item_id.isprintable():
        return False
    others = conversation.items.exclude(role=Item.Role.ASSISTANT)
    if others.filter(item_id=item_id).exists():
        return False
    return conversation.feedback.exclude(item_id=item_id).count() < MAX_OPINIONS
