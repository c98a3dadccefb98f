"""The template language of instructions: Django's own, without loaders and libraries."""

from __future__ import annotations

from typing import Final

from django.core.exceptions import ValidationError
from django.template import Engine, TemplateSyntaxError
from django.utils.translation import gettext_lazy as _

# A template of a row reaches no other template and no code of the site.
ENGINE: Final = Engine(autoescape=False, loaders=[])


def validate_instructions(value: str) -> None:
    """Refuse a template that cannot be read."""
    try:
        ENGINE.from_string(value)
    except TemplateSyntaxError as exc:
        raise ValidationError(
            _(
                "These instructions are a Django template, and it has a mistake: %(fault)s."
                " Write {%% templatetag openbrace %%} for a brace that is meant as such."
            ),
            code="instructions",
            params={"fault": str(exc).rstrip(".")},
        ) from None
