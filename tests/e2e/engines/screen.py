"""A screen that nobody sees, for a browser that cannot do without one."""

from __future__ import annotations

import os
import select
import subprocess

READY_S = 15.0


class Screen:
    """An X server of its own.

    Attributes:
        display: Its name, as ``DISPLAY`` has it.
    """

    def __init__(self):
        read, write = os.pipe()
        try:
            self._server = subprocess.Popen(
                ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x900x24"]
                + ["-nolisten", "tcp"],
                pass_fds=(write,),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        finally:
            os.close(write)
        with os.fdopen(read) as told:
            ready, _, _ = select.select([told], [], [], READY_S)
            number = told.readline().strip() if ready else ""
        if not number:
            self.close()
            raise RuntimeError("Xvfb did not start")
        self.display = f":{number}"

    def close(self):
        """End the server."""
        self._server.terminate()
        self._server.wait(READY_S)
