"""Bring the catalogues up to date with the words of the code, and compile them.

Every catalogue gets every word a visitor may read, and some get those of the admin, too;
what is new comes without a translation and is named. Babel is there with Sphinx.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

import django
from babel.messages import pofile
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from django.utils.translation import override
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "realtime_widget"
LOCALES = PACKAGE / "locale"
# Those whose catalogue has the words of the admin.
ADMIN_LANGUAGES = ("de",)
CALLS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "ngettext": (1, 2),
}

# One word, or a word for one and for many.
Words = str | tuple[str, ...]


def main() -> int:
    """Update every catalogue; return 1 if one lacks a translation."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    sys.path.insert(0, str(ROOT))
    django.setup()
    words: list[Words] = list(visible_words())
    all_words = list(dict.fromkeys([*words, *admin_words()]))
    lacking = 0
    for source in sorted(LOCALES.glob("*/LC_MESSAGES/django.po")):
        language = source.parents[1].name
        with source.open("rb") as file:
            catalogue = pofile.read_po(file, locale=language)
        has_admin = language in ADMIN_LANGUAGES
        if has_admin:
            forget(catalogue, all_words)
        for missing in update(catalogue, all_words if has_admin else words):
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


def admin_words() -> Iterator[Words]:
    """Return every word that is marked in the code and in templates."""
    for file in sorted(PACKAGE.rglob("*")):
        if file.suffix not in (".py", ".html"):
            continue
        text = file.read_text("utf-8")
        if file.suffix == ".html":
            text = templatize(text)
        for _line, words, _comments, _context in extract(
            "python", BytesIO(text.encode()), CALLS, options={"encoding": "utf-8"}
        ):
            if words:
                yield words


def update(catalogue: Catalog, words: Iterable[Words]) -> Iterator[Words]:
    """Add what is new, English as it is; return what has no translation."""
    own = str(catalogue.locale) == "en"
    for each in words:
        if catalogue.get(each) is None:
            catalogue.add(each, each if own else None)
        found = catalogue[each].string
        if not (all(found) if isinstance(found, tuple) else found):
            yield each


def forget(catalogue: Catalog, words: Iterable[Words]) -> None:
    """Take out what the code does not say any more."""
    said = {each if isinstance(each, str) else each[0] for each in words}
    for message in list(catalogue):
        name = message.id if isinstance(message.id, str) else message.id[0]
        if name and name not in said:
            catalogue.delete(message.id)


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
