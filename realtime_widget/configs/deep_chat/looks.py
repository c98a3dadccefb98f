"""The picture, the buttons, and the words while connecting and for an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from django.db import models
from django.utils.translation import gettext as _

from realtime_widget.configs.deep_chat.buttons import Look, button_looks, plain_markup
from realtime_widget.configs.deep_chat.notes import (
    Imported,
    May,
    Note,
    Outcome,
    allowed,
    is_object,
    take,
    take_styles,
)
from realtime_widget.models import Avatar, Button, ButtonSet, Widget
from realtime_widget.models.markup import clean_html
from realtime_widget.models.stylesheets import refused_parts, safe_stylesheet

Row = TypeVar("Row", Avatar, ButtonSet)


def _own(model: type[Row], widget: Widget, current: Row | None) -> Row:
    """Return the widget's row if no other widget wears it, else a new one."""
    if current is not None and not _worn_by_others(current, widget):
        return current
    names = (widget.slug, *(f"{widget.slug}-{number}" for number in range(2, 1000)))
    rows = model._default_manager
    name = next(name for name in names if not rows.filter(name=name).exists())
    return model(name=name)


def _worn_by_others(row: Any, widget: Widget) -> bool:
    others: models.QuerySet[Widget] = row.widgets.exclude(pk=widget.pk)
    return others.exists()


def _read_avatar(result: Imported, given: Any, may: May) -> None:
    if not is_object(result, "avatar", given) or not allowed(
        result, "avatar", may, Avatar
    ):
        return
    avatar = _own(Avatar, result.widget, result.widget.avatar)
    if "src" in given:
        why = _("Upload the picture at the avatar: an address is no file.")
        result.note("avatar.src", "left_out", why)
    if "maxScale" in given:
        take(result, avatar, "max_scale", given["maxScale"], "avatar.maxScale")
    styles = given.get("styles") or {}
    for part, name in (("image", "image_styles"), ("container", "container_styles")):
        if isinstance(styles, Mapping) and part in styles:
            take_styles(result, avatar, name, styles[part], f"avatar.styles.{part}")
    avatar.save()
    result.widget.avatar = avatar


def _read_buttons(result: Imported, given: Any, may: May) -> None:
    if not is_object(result, "buttons", given) or not allowed(
        result, "buttons", may, ButtonSet
    ):
        return
    buttons = _own(ButtonSet, result.widget, result.widget.buttons)
    if "container" in given:
        take_styles(
            result,
            buttons,
            "container_styles",
            given["container"],
            "buttons.container",
        )
    buttons.save()
    for look in button_looks(given):
        _read_button(result, buttons, look)
    result.widget.buttons = buttons


def _read_button(result: Imported, buttons: ButtonSet, look: Look) -> None:
    place = {"kind": look.kind, "state": look.state}
    button = Button.objects.filter(button_set=buttons, **place).first()
    button = button or Button(button_set=buttons, **place)
    result.notes += [Note(path, outcome, why) for path, outcome, why in look.notes]
    button.svg, button.hide_icon, button.styles = look.svg, look.hide_icon, look.styles
    button.text = ""
    if look.text:
        take(result, button, "text", look.text, f"{look.path}.text.content")
    button.save()


def _read_loading(result: Imported, given: Any, may: May) -> None:
    if not is_object(result, "loading", given):
        return
    widget = result.widget
    if "text" in given:
        take(result, widget, "loading_text", given["text"], "loading.text")
    if "display" in given:
        take(result, widget, "loading_display", given["display"], "loading.display")
    if "html" in given:
        markup = plain_markup(given["html"]) or given["html"]
        if not take(result, widget, "loading_html", markup, "loading.html"):
            refused = result.notes.pop()
            widget.loading_html = clean_html(plain_markup(markup))
            outcome: Outcome = "changed" if widget.loading_html else "left_out"
            result.note(refused.path, outcome, refused.why)
    if "style" in given:
        take_styles(result, widget, "loading_styles", given["style"], "loading.style")


def _read_error(result: Imported, given: Any, may: May) -> None:
    if not is_object(result, "error", given):
        return
    if "text" in given:
        take(result, result.widget, "error_text", given["text"], "error.text")
    if "style" in given:
        take_styles(
            result, result.widget, "error_styles", given["style"], "error.style"
        )


def _read_auto_start(result: Imported, given: Any, may: May) -> None:
    take(result, result.widget, "auto_start", given, "autoStart")


READERS: Final[dict[str, Callable[[Imported, Any, May], None]]] = {
    "avatar": _read_avatar,
    "buttons": _read_buttons,
    "loading": _read_loading,
    "error": _read_error,
    "autoStart": _read_auto_start,
}


def read_sheet(result: Imported, css: str) -> None:
    """Take the allowed rules of ``auxiliaryStyle``."""
    if not css.strip():
        return
    result.widget.auxiliary_style = safe_stylesheet(css)
    refused = refused_parts(css)
    if not refused:
        result.note("auxiliaryStyle", "taken")
        return
    why = _("Not allowed here: %s.") % ", ".join(refused[:8])
    kept: Outcome = "changed" if result.widget.auxiliary_style else "left_out"
    result.note("auxiliaryStyle", kept, why)
