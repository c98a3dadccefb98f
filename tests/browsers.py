"""The browsers besides Chromium that tests run in, and what each needs of a machine."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# The room in which they speak and listen: tests/e2e/engines/room.py.
SOUND = ("pulseaudio", "pactl", "pacat", "parec")
SOUND_PACKAGES = ("pulseaudio", "pulseaudio-utils")
LIBRARIES = (Path("/usr/lib"), Path("/usr/lib64"))


@dataclass(frozen=True)
class Engine:
    """What a browser's tests need.

    Attributes:
        programs: To be found on the path; of a tuple any one.
        libraries: Patterns of files below the folders of libraries.
        packages: Debian's, that bring all of it.
    """

    programs: tuple[str | tuple[str, ...], ...]
    packages: tuple[str, ...]
    libraries: tuple[str, ...] = ()


ENGINES = {
    "firefox": Engine(
        programs=(("firefox-esr", "firefox"), *SOUND),
        packages=("firefox-esr", *SOUND_PACKAGES),
    ),
    "webkit": Engine(
        programs=("WebKitWebDriver", "Xvfb", *SOUND),
        libraries=(
            "*/webkit2gtk-4.*/MiniBrowser",
            "*/gstreamer-1.0/libgstpulseaudio.so",
            "*/gstreamer-1.0/libgstautodetect.so",
        ),
        packages=(
            "webkit2gtk-driver",
            "xvfb",
            "gstreamer1.0-pulseaudio",
            "gstreamer1.0-plugins-good",
            *SOUND_PACKAGES,
        ),
    ),
}


@functools.cache
def missing_for(name: str) -> list[str]:
    """Return what a machine lacks for an engine's tests, in words."""
    engine = ENGINES[name]
    wanted = [(one,) if isinstance(one, str) else one for one in engine.programs]
    missing = [" or ".join(names) for names in wanted if not _on_path(names)]
    return missing + [
        Path(pattern).name for pattern in engine.libraries if not _in_library(pattern)
    ]


def find_firefox() -> str | None:
    """Return the program to start, or None when the machine has none."""
    return _on_path(("firefox-esr", "firefox"))


def _on_path(names: Iterable[str]) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


def _in_library(pattern: str) -> bool:
    return any(next(folder.glob(pattern), None) for folder in LIBRARIES)


if __name__ == "__main__":
    for name, engine in ENGINES.items():
        if missing_for(name):
            print(*engine.packages)  # noqa: T201
