"""Fill a tool's arguments from what was said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from realtime_widget.engine.dialogue.contacts import take_email, take_phone
from realtime_widget.engine.dialogue.dates import (
    WEEKDAYS,
    reject,
    take_date,
    take_time,
    weekday_name,
)
from realtime_widget.engine.dialogue.ids import take_id
from realtime_widget.engine.dialogue.numbers import find_numbers
from realtime_widget.engine.dialogue.parameters import Kind, Parameter
from realtime_widget.engine.dialogue.places import take_name, take_place, take_text
from realtime_widget.engine.dialogue.words import (
    Said,
    split_words,
    stem,
    stems,
    word_list,
)

Value = str | int | float | bool

# What is surest to recognise is looked for first, so that "Tuesday" and "ten" are used
# up before anything takes a word for a name or a number.
_ORDER: Final[tuple[Kind, ...]] = (
    "enum",
    "email",
    "datetime",
    "date",
    "weekday",
    "time",
    "phone",
    "id",
    "integer",
    "number",
    "boolean",
    "place",
    "name",
    "text",
)
_YES: Final = frozenset(
    word_list("yes yeah yep sure please true ok okay right correct")
)
_NO: Final = frozenset(word_list("no nope not false without never"))
_MOST: Final = 1e15
_PER_UNIT_S: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


def fill(
    parameters: list[Parameter],
    said: Said,
    today: date,
    *,
    asked: str = "",
    tool_words: frozenset[str] = frozenset(),
    about: frozenset[str] = frozenset(),
) -> dict[str, Value]:
    """Return the arguments that were said, by parameter name.

    Args:
        parameters: Those still without a value.
        said: What was said; the words used are marked.
        today: The day that "tomorrow" is counted from.
        asked: Parameter whose question this answers, so that a bare word will do.
        tool_words: Stems of the tool's own name, which are no values.
        about: Stems of all words that the tool is known by.
    """
    values: dict[str, Value] = {}
    reject(said, today)
    ranked = sorted(
        (p for p in parameters if p.kind in _ORDER),
        key=lambda p: (p.name != asked or p.kind == "text", _ORDER.index(p.kind)),
    )
    for parameter in ranked:
        take = _TAKERS[parameter.kind]
        value = take(
            _Ask(parameter, said, today, parameter.name == asked, tool_words, about)
        )
        if value is not None and parameter.accepts(value):
            values[parameter.name] = value
    return values


@dataclass(frozen=True, slots=True)
class _Ask:
    """One parameter looked for in one thing said; the rest is as in ``fill``."""

    parameter: Parameter
    said: Said
    today: date
    direct: bool
    tool_words: frozenset[str]
    about: frozenset[str]


def _take_enum(ask: _Ask) -> Value | None:
    said = ask.said
    words = said.lows()
    best: tuple[int, int, Value] | None = None
    for option in ask.parameter.options:
        wanted = [word.lower() for word in split_words(str(option))]
        for at in range(len(words) - len(wanted) + 1 if wanted else 0):
            window = words[at : at + len(wanted)]
            same = window == wanted or [stem(w) for w in window] == [
                stem(w) for w in wanted
            ]
            longer = best is None or len(wanted) > best[1] - best[0]
            if same and longer and said.free(at, at + len(wanted)):
                best = (at, at + len(wanted), option)
    if best is not None:
        said.use(best[0], best[1])
        return best[2]
    return _take_enum_day(ask) or _take_enum_part(ask)


def _take_enum_part(ask: _Ask) -> Value | None:
    """Return the one option that a word said belongs to: "a puncture"."""
    places: dict[int, Value] = {}
    for at, word in enumerate(ask.said.words):
        if ask.said.free(at, at + 1) and stem(word.low) not in ask.tool_words:
            options = [
                o for o in ask.parameter.options if stem(word.low) in stems(str(o))
            ]
            if len(options) == 1:
                places[at] = options[0]
    if len(set(places.values())) != 1:
        return None
    ask.said.used.update(places)
    return next(iter(places.values()))


def _take_enum_day(ask: _Ask) -> Value | None:
    """Return the weekday among the options that "tomorrow" means."""
    by_day = {str(option).lower()[:3]: option for option in ask.parameter.options}
    if not {"mon", "tue", "wed"} <= set(by_day):
        return None
    day = take_date(ask.said, ask.today)
    return by_day.get(weekday_name(day)[:3]) if day is not None else None


def _take_date(ask: _Ask) -> Value | None:
    day = take_date(ask.said, ask.today)
    return day.isoformat() if day is not None else None


def _take_weekday(ask: _Ask) -> Value | None:
    """Return a weekday's name while it is not ambiguous, else the date."""
    day = take_date(ask.said, ask.today)
    if day is None:
        return None
    if day == ask.today:
        return "today"
    ahead = (day - ask.today).days
    # On a Saturday, "Saturday" may be today: the name leaves it to the site.
    near = 0 < ahead < len(WEEKDAYS) or (
        ahead == len(WEEKDAYS)
        and weekday_name(day) in ask.said.lows()
        and "next" not in ask.said.lows()
    )
    return weekday_name(day).title() if near else day.isoformat()


def _take_time(ask: _Ask) -> Value | None:
    moment = take_time(ask.said, bare=ask.direct)
    if moment is None:
        return None
    return moment.strftime("%H:%M:%S" if ask.parameter.iso_time else "%H:%M")


def _take_datetime(ask: _Ask) -> Value | None:
    """Return day and time together; a time alone means its next occurrence today."""
    used = set(ask.said.used)
    day = take_date(ask.said, ask.today)
    moment = take_time(ask.said, bare=ask.direct)
    if moment is None or (day is None and not ask.direct):
        ask.said.used = used
        return None
    return datetime.combine(day or ask.today, moment).isoformat()


def _take_email(ask: _Ask) -> Value | None:
    return take_email(ask.said)


def _take_phone(ask: _Ask) -> Value | None:
    return take_phone(ask.said)


def _take_id(ask: _Ask) -> Value | None:
    return take_id(ask.said, ask.parameter)


def _take_number(ask: _Ask) -> Value | None:
    said = ask.said
    # More digits than a float keeps are an id that is no argument here.
    numbers = [number for number in find_numbers(said) if number.value < _MOST]
    if not numbers:
        return None
    about = stems(f"{ask.parameter.words} {ask.parameter.description}")

    def distance(number_end: int, number_start: int) -> int:
        following = said.words[number_end].low if number_end < len(said.words) else ""
        before = said.words[number_start - 1].low if number_start else ""
        return 0 if {stem(following), stem(before)} & about else 1

    number = min(numbers, key=lambda n: distance(n.end, n.start))
    unit = said.words[number.end].low if number.end < len(said.words) else ""
    value = number.value * _scale(unit, about)
    said.use(number.start, number.end)
    if ask.parameter.kind == "integer":
        return round(value)
    return value


def _scale(unit: str, about: set[str]) -> float:
    """Return what a number said in hours is worth in a parameter counted in minutes."""
    said_s = _PER_UNIT_S.get(unit.removesuffix("s"))
    wanted = [s for name, s in _PER_UNIT_S.items() if stem(name) in about]
    return said_s / wanted[0] if said_s and wanted else 1.0


def _take_boolean(ask: _Ask) -> Value | None:
    words = ask.said.lows()
    if ask.direct:
        if _NO & set(words):
            return False
        return True if _YES & set(words) else None
    named = {stem(word) for word in ask.parameter.words.split()}
    places = [at for at, word in enumerate(words) if stem(word) in named]
    if not places:
        return None
    return not (_NO & set(words[max(0, places[0] - 3) : places[0]]))


def _take_place(ask: _Ask) -> Value | None:
    return take_place(ask.said, direct=ask.direct, tool_words=ask.tool_words)


def _take_name(ask: _Ask) -> Value | None:
    return take_name(ask.said, ask.parameter, direct=ask.direct)


def _take_text(ask: _Ask) -> Value | None:
    return take_text(
        ask.said,
        ask.parameter,
        direct=ask.direct,
        tool_words=ask.tool_words,
        about=ask.about,
    )


_TAKERS: Final[Mapping[Kind, Callable[[_Ask], Value | None]]] = {
    "enum": _take_enum,
    "email": _take_email,
    "datetime": _take_datetime,
    "date": _take_date,
    "weekday": _take_weekday,
    "time": _take_time,
    "phone": _take_phone,
    "id": _take_id,
    "integer": _take_number,
    "number": _take_number,
    "boolean": _take_boolean,
    "place": _take_place,
    "name": _take_name,
    "text": _take_text,
}
