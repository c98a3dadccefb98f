"""The secret key of a demo: made once a machine, never in the repository."""

from __future__ import annotations

import os
from pathlib import Path

from django.core.management.utils import get_random_secret_key


def secret_key(path: Path) -> str:
    """Return ``DEMO_SECRET_KEY``, or the key in the file, which is made if missing.

    Args:
        path: Readable by its owner only; git ignores it.
    """
    given = os.environ.get("DEMO_SECRET_KEY")
    if given:
        return given
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(descriptor, "w") as file:
        file.write(key := get_random_secret_key())
    return key
