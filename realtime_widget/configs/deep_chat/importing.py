"""The import as a whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from realtime_widget.configs.deep_chat.looks import READERS, read_sheet
from realtime_widget.configs.deep_chat.notes import Imported, May
from realtime_widget.configs.deep_chat.session import read_config
from realtime_widget.models import Agent, Widget

KEYS: Final = ("key", "ephemeralKey", "fetchEphemeralKey", "autoFetchEphemeralKey")


def parse_direct_connection(text: str) -> Mapping[str, Any]:
    """Return the options of ``openAI.realtime``, keys beside it among them.

    Raises:
        ValidationError: If the text is something else.
    """
    try:
        given = json.loads(text)
    except ValueError:
        raise ValidationError(_("This is no JSON."), code="json") from None
    for name in ("directConnection", "openAI"):
        if isinstance(given, dict) and name in given:
            given = given[name]
    realtime = given.get("realtime") if isinstance(given, dict) else None
    if realtime is True:
        realtime = {}
    if not isinstance(realtime, dict):
        raise ValidationError(
            _('Enter the JSON of directConnection: {"openAI": {"realtime": {…}}}.'),
            code="shape",
        )
    return {**{name: given[name] for name in KEYS if name in given}, **realtime}


@transaction.atomic
def import_deep_chat(
    realtime: Mapping[str, Any],
    slug: str,
    *,
    agent: Agent | None = None,
    auxiliary_style: str = "",
    may: May = lambda model: True,
) -> Imported:
    """Make or change a widget, its avatar and its buttons.

    Args:
        realtime: From ``parse_direct_connection``.
        slug: Of the widget; one that exists keeps what the JSON does not name.
        agent: Of a new widget; None makes one. An agent that exists is not changed.
        auxiliary_style: The text of ``auxiliaryStyle``.
        may: Whether the editor may add and change rows of a model.

    Raises:
        ValidationError: If the editor may not make what is needed.
    """
    widget = Widget.objects.filter(slug=slug).select_related("agent").first()
    created = widget is None
    if widget is None:
        own_agent = agent or _new_agent(slug, may)
        widget = Widget(slug=slug, agent=own_agent, captions=False, text_box=False)
        widget.title = own_agent.name if agent else ""
    is_new_agent = created and agent is None
    widget.skin = Widget.Skin.CLASSIC
    result = Imported(widget, created)
    for name in realtime:
        if name in READERS:
            READERS[name](result, realtime[name], may)
        elif name != "config":
            result.note(name, "left_out", _left_out(name))
    read_config(result, realtime.get("config"), may, new_agent=is_new_agent)
    read_sheet(result, auxiliary_style)
    widget.full_clean()
    widget.save()
    return result


def _left_out(name: str) -> str:
    if name in KEYS:
        return _(
            "The key stays on the server, in its environment. Take it out of the page and"
            " revoke it."
        )
    if name in ("events", "methods"):
        return _("This is code of the page and goes on working there.")
    return _("Not an option of deep-chat's realtime service.")


def _new_agent(slug: str, may: May) -> Agent:
    if not may(Agent):
        raise ValidationError(_("Choose an agent: you may not make one."), code="agent")
    taken = Agent.objects.filter(name__startswith=slug).values_list("name", flat=True)
    names = [slug, *(f"{slug}-{number}" for number in range(2, len(taken) + 3))]
    agent = Agent(name=next(name for name in names if name not in set(taken)))
    agent.save()
    return agent
