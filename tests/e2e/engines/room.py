"""A room of sound: what a page plays is heard in it, what is said in it a page hears.

It is a PulseAudio server of its own with a loudspeaker and a microphone that are wires,
so a machine without a sound card will do, and one that has one stays silent.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import numpy as np

from realtime_widget.connectors import engine_parts
from realtime_widget.engine.resample import (
    pcm16_to_samples,
    resample,
    samples_to_pcm16,
)
from tests.e2e.sound import RATE_HZ

ROOM_HZ = 48_000
READY_S = 15.0
LOUDSPEAKER, MOUTH, MICROPHONE = "loudspeaker", "mouth", "microphone"


class Room:
    """A loudspeaker and a microphone.

    Args:
        folder: For what the sound server writes; short, for it holds a socket.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._server = None
        self._ear = None
        self.environment = {
            **os.environ,
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_SERVER": f"unix:{folder}/sound",
            "PULSE_COOKIE": str(folder / "cookie"),
        }

    def open(self):
        """Start the sound server and wait until both devices are there."""
        modules = (
            f"module-native-protocol-unix auth-anonymous=1 socket={self._folder}/sound",
            f"module-null-sink sink_name={LOUDSPEAKER} rate={ROOM_HZ} channels=2",
            f"module-null-sink sink_name={MOUTH} rate={ROOM_HZ} channels=1",
            f"module-remap-source {_source(MICROPHONE)}",
        )
        command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1"]
        command += ["--use-pid-file=no", "--disallow-exit=no", "--log-level=error"]
        for module in modules:
            command += ["-L", module]
        with (self._folder / "log").open("wb") as log:
            self._server = subprocess.Popen(
                command, env=self.environment, stdout=log, stderr=log
            )
        self._wait(
            lambda: self._control("set-default-source", MICROPHONE), self._server
        )
        assert self._control("set-default-sink", LOUDSPEAKER)
        return self

    def _wait(self, ready, program):
        until_s = time.monotonic() + READY_S
        while not ready():
            assert program.poll() is None, (self._folder / "log").read_text()
            assert time.monotonic() < until_s, f"no answer from {program.args[0]}"
            time.sleep(0.02)

    def _control(self, *words):
        return not self._ask(*words).returncode

    def _ask(self, *words):
        return subprocess.run(
            ["pactl", *words],
            env=self.environment,
            capture_output=True,
            check=False,
            text=True,
            timeout=READY_S,
        )

    def plug(self, name):
        """Plug another microphone in, that hears the same."""
        source = _source(name).split()
        assert self._control("load-module", "module-remap-source", *source)

    def unplug(self):
        """Pull the microphone out."""
        listed = self._ask("list", "short", "modules").stdout
        [number] = [
            line.split()[0]
            for line in listed.splitlines()
            if f"source_name={MICROPHONE} " in line
        ]
        assert self._control("unload-module", number)

    def wait_heard_from(self, name):
        """Wait until a program listens to the microphone of this name."""

        def listens():
            sources = self._ask("list", "short", "sources").stdout.splitlines()
            [number] = [row.split()[0] for row in sources if row.split()[1] == name]
            listeners = self._ask("list", "short", "source-outputs").stdout
            return number in [row.split("\t")[1] for row in listeners.splitlines()]

        self._wait(listens, self._server)

    def say(self, *parts):
        """Say samples (24 kHz) before the microphone; returns when they were said."""
        whole = resample(np.concatenate(parts), RATE_HZ, ROOM_HZ)
        command = ["pacat", "--playback", f"--device={MOUTH}", "--raw"]
        command += ["--format=s16le", f"--rate={ROOM_HZ}", "--channels=1"]
        subprocess.run(
            command,
            env=self.environment,
            input=samples_to_pcm16(whole),
            check=True,
            timeout=len(whole) / ROOM_HZ + READY_S,
        )

    def listen(self):
        """Write down what the loudspeaker plays from now on."""
        command = ["parec", f"--device={LOUDSPEAKER}.monitor", "--raw"]
        command += ["--format=s16le", f"--rate={RATE_HZ}", "--channels=1"]
        with (self._folder / "heard").open("wb") as heard:
            self._ear = subprocess.Popen(command, env=self.environment, stdout=heard)
        self._wait(lambda: (self._folder / "heard").stat().st_size, self._ear)

    def heard(self):
        """Return what the loudspeaker played since `listen`, samples at 24 kHz."""
        pcm = (self._folder / "heard").read_bytes()
        return pcm16_to_samples(pcm[: len(pcm) // 2 * 2])

    def recognised(self):
        """Return the words that the loudspeaker has said since `listen`."""
        return engine_parts().stt.transcribe(
            samples_to_pcm16(self.heard()), language="en"
        )

    def close(self):
        """End every program of the room."""
        for program in (self._ear, self._server):
            if program is not None:
                program.terminate()
                program.wait(READY_S)


def _source(name):
    # Firefox tells devices apart by what they are called.
    called = f"source_properties=device.description={name}"
    return f"source_name={name} master={MOUTH}.monitor {called}"
