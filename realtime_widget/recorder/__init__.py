"""The only writer of records.

Sessions hand over what happened without waiting; one task a process writes it in
batches from a thread of its own. While the database is away the rows wait in
memory and the talk goes on.
"""

from __future__ import annotations

from realtime_widget.recorder.costs import recompute_costs
from realtime_widget.recorder.lost import end_lost, look_for_lost
from realtime_widget.recorder.opinions import (
    Visitor,
    record_consent,
    record_feedback,
)
from realtime_widget.recorder.rows import Ended
from realtime_widget.recorder.session import SessionRecorder
from realtime_widget.recorder.sound import CallRecording, recordings_saved
from realtime_widget.recorder.writer import RecordWriter, current_writer

__all__ = [
    "CallRecording",
    "Ended",
    "RecordWriter",
    "SessionRecorder",
    "Visitor",
    "current_writer",
    "end_lost",
    "look_for_lost",
    "record_consent",
    "record_feedback",
    "recompute_costs",
    "recordings_saved",
]
