"""Comparing languages by their tags (BCP 47)."""

from __future__ import annotations

from collections.abc import Collection


def primary_language(tag: str) -> str:
    """Return the language of a tag: ``pt`` of ``pt-BR``, "" of ""."""
    return tag.lower().replace("_", "-").partition("-")[0]


def among(tag: str, languages: Collection[str]) -> bool:
    """Return whether a language is one of these.

    Args:
        tag: "" for a language that nobody named: it is given the benefit of the doubt.
        languages: Primary languages; empty for all there are.
    """
    return not tag or not languages or primary_language(tag) in languages
