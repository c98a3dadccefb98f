"""Pictures of the widget on one sheet for each look, and what counts as a change.

A sheet is for people, too: it is shown in the documentation. The comparison looks at
each widget so small that letters are grey lines: another font is no change, a button
that is gone is one.
"""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFont

FOLDER = Path(__file__).parents[2] / "docs" / "images" / "states"
SCHEMES = ("light", "dark")
COLUMNS = 6
CELL = (160, 236)
GAP = 12
LABEL = 16
COLOURS = 64
FILLS = 48
PAPER = {"light": "#eceff1", "dark": "#23282c"}
INK = {"light": "#1d2327", "dark": "#eceff1"}
# What is compared: a pixel stands for ten by ten of the screen. What a rounding or
# smoother letters move stays under 24 of 255, an icon that is gone makes over 100.
SMALL = (40, 59)
CHANGED = 32
CHANGED_PIXELS = 2


def cell_of(png: bytes, scheme: str = "light") -> Image.Image:
    """Return a screenshot of a widget, with nothing behind it, as it stands on a sheet."""
    with Image.open(io.BytesIO(png)) as picture:
        paper = Image.new("RGBA", picture.size, PAPER[scheme])
        paper.alpha_composite(picture.convert("RGBA"))
    return paper.convert("RGB").resize(CELL, Image.Resampling.LANCZOS)


def sheet_of(cells: dict[tuple[str, str], Image.Image]) -> Image.Image:
    """Put the cells of a look on a sheet.

    Args:
        cells: By state and scheme, the states in the order in which they are shown.
    """
    states = list(dict.fromkeys(state for state, _ in cells))
    _, height = _place(states[-1], SCHEMES[-1], states)
    width = COLUMNS * (CELL[0] + GAP) + GAP
    sheet = Image.new("RGB", (width, height + CELL[1] + GAP), PAPER["light"])
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    _, dark_from = _place(states[0], "dark", states)
    draw.rectangle(
        [0, dark_from - LABEL - GAP // 2, width, sheet.height], fill=PAPER["dark"]
    )
    for (state, scheme), cell in cells.items():
        x, y = _place(state, scheme, states)
        draw.text((x, y - LABEL), state, fill=INK[scheme], font=font)
        sheet.paste(cell, (x, y))
    return _with_few_colours(sheet)


def _with_few_colours(sheet: Image.Image) -> Image.Image:
    """Keep what fills areas as it is, and of the rest what is rare: an error's red."""
    counted = sorted(sheet.getcolors(sheet.width * sheet.height), reverse=True)
    fills = [colour for _, colour in counted[:FILLS]]
    rare = sheet.quantize(COLOURS - FILLS, method=Image.Quantize.MAXCOVERAGE)
    palette = Image.new("P", (1, 1))
    palette.putpalette([*sum(fills, ()), *rare.getpalette()[: 3 * (COLOURS - FILLS)]])
    return sheet.quantize(palette=palette, dither=Image.Dither.NONE)


def cell_on(sheet: Image.Image, state: str, scheme: str, states: list[str]):
    """Return one of a sheet's cells."""
    x, y = _place(state, scheme, states)
    return sheet.convert("RGB").crop((x, y, x + CELL[0], y + CELL[1]))


def differs(one: Image.Image, other: Image.Image) -> bool:
    """Return whether a person would see another widget."""
    small = [
        picture.convert("RGB").resize(SMALL, Image.Resampling.BOX)
        for picture in (one, other)
    ]
    bands = ImageChops.difference(*small).split()
    most = ImageChops.lighter(ImageChops.lighter(bands[0], bands[1]), bands[2])
    return sum(most.histogram()[CHANGED:]) >= CHANGED_PIXELS


def _place(state: str, scheme: str, states: list[str]) -> tuple[int, int]:
    at = states.index(state)
    rows = -(-len(states) // COLUMNS)
    row = at // COLUMNS + rows * SCHEMES.index(scheme)
    x = GAP + at % COLUMNS * (CELL[0] + GAP)
    return x, row * (CELL[1] + LABEL + GAP) + LABEL + GAP // 2
