"""``manage.py realtime_doctor``: which parts of the engine are there, and do they work."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from realtime_widget.conf import get_conf
from realtime_widget.engine.doctor import (
    Finding,
    SelfTest,
    examine,
    run_self_test,
    run_spoken_turn,
)
from realtime_widget.engine.options import EngineOptions, options_from_setting
from realtime_widget.engine.parts import load_parts
from realtime_widget.engine.spoken_turn import SpokenTurn
from realtime_widget.exceptions import UpstreamError


class Command(BaseCommand):
    """Reports on the embedded engine."""

    help = (
        "List the embedded engine's parts with their versions, sources and checked hashes,"
        " and try them: speak a sentence, hear it back, and answer it as a spoken turn."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument(
            "--no-test", action="store_true", help="Only look, load and try nothing."
        )
        parser.add_argument(
            "--require-voice",
            action="store_true",
            help="Fail when a part of the voice is missing.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        try:
            chosen = options_from_setting(get_conf().ENGINE)
        except ValueError as exc:
            raise CommandError(f"REALTIME_WIDGET: {exc}") from exc
        findings = examine(chosen)
        for finding in findings:
            self._write(finding)
        missing = [finding.name for finding in findings if finding.state == "missing"]
        if not options["no_test"]:
            self._test(chosen)
        if missing:
            self.stdout.write("The widget works in writing; its voice is off.")
        if missing and options["require_voice"]:
            raise CommandError(f"Missing: {', '.join(missing)}.")

    def _write(self, finding: Finding) -> None:
        style = {
            "ok": self.style.SUCCESS,
            "note": self.style.WARNING,
            "missing": self.style.ERROR,
        }[finding.state]
        state = style(f"{finding.state:8}")
        self.stdout.write(f"{state} {finding.name}: {finding.words}")

    def _test(self, chosen: EngineOptions) -> None:
        started = time.perf_counter()
        parts = load_parts(chosen)
        self.stdout.write(f"loaded in {(time.perf_counter() - started) * 1000:.0f} ms")
        try:
            result = run_self_test(parts)
        except UpstreamError as exc:
            raise CommandError(f"The dialogue does not answer: {exc}") from exc
        if result is None:
            return
        self._write_test(result)
        if not result.understood:
            raise CommandError("The engine did not understand its own voice.")
        try:
            turn = run_spoken_turn(parts)
        except TimeoutError:
            raise CommandError("The engine did not answer a spoken turn.") from None
        self._write_turn(turn)
        if turn.status != "completed":
            raise CommandError(f"The answer to a spoken turn was {turn.status}.")

    def _write_turn(self, turn: SpokenTurn) -> None:
        words, audio = (
            "none" if took_ms is None else f"{took_ms:.0f}"
            for took_ms in (turn.words_ms, turn.first_audio_ms)
        )
        self.stdout.write(
            "one spoken turn, ms after the end of speech:"
            f" turn ended {turn.stopped_ms:.0f}, words {words},"
            f" first audio {audio} ({turn.answer_ms} ms of answer)"
        )

    def _write_test(self, result: SelfTest) -> None:
        self.stdout.write(f"heard back: {result.heard}")
        self.stdout.write(f"answered: {result.answer}")
        self.stdout.write(
            f"first audio {result.tts_ms:.0f} ms,"
            f" recognition {result.stt_ms:.0f} ms,"
            f" dialogue {result.dialogue_ms:.1f} ms,"
            f" voice detection {result.vad_frame_ms:.2f} ms a frame"
            f" ({result.speech_ms} ms of speech)"
        )
