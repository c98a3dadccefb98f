"""Bring the catalogues up to date with the words of the code, and compile them.

Every catalogue gets every word a visitor may read; what is new comes without a
translation and is named. Words for the admin may be in a catalogue as well; they stay.
Babel is there with Sphinx.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import django
from babel.messages import pofile
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from django.utils.translation import override

ROOT = Path(__file__).resolve().parents[1]
LOCALES = ROOT / "realtime_widget" / "locale"


def main() -> int:
    """Update every catalogue; return 1 if one lacks a translation."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    sys.path.insert(0, str(ROOT))
    django.setup()
    words = list(visible_words())
    lacking = 0
    for source in sorted(LOCALES.glob("*/LC_MESSAGES/django.po")):
        language = source.parents[1].name
        with source.open("rb") as file:
            catalogue = pofile.read_po(file, locale=language)
        for missing in update(catalogue, words):
            lacking += 1
            sys.stderr.write(f"{language}: {missing}\n")
        write(catalogue, source)
    return int(lacking > 0)


def visible_words() -> Iterator[str]:
    """Return every word a visitor may read, in English."""
    from realtime_widget import messages

    with override(None):
        for table in (messages.ERROR_MESSAGES, messages.TEXTS):
            yield from map(str, table.values())
        for words in (messages.QUOTA_MESSAGE, messages.TOMORROW, messages.ON_DAY):
            yield str(words)


def update(catalogue: Catalog, words: Iterable[str]) -> Iterator[str]:
    """Add what is new, English as it is; return what has no translation."""
    own = str(catalogue.locale) == "en"
    for each in words:
        if catalogue.get(each) is None:
            catalogue.add(each, each if own else None)
        if not catalogue[each].string:
            yield each


def write(catalogue: Catalog, source: Path) -> None:
    """Write a catalogue and what gettext reads."""
    # Who changed it when is what version control is for.
    catalogue.fuzzy = False
    with source.open("wb") as file:
        pofile.write_po(
            file, catalogue, width=0, no_location=True, ignore_obsolete=True
        )
    with source.with_suffix(".mo").open("wb") as compiled:
        write_mo(compiled, catalogue)


if __name__ == "__main__":
    sys.exit(main())
