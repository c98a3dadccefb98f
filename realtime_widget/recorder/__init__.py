"""The only writer of records.

Sessions hand over what happened without waiting; one task a process writes it in
batches from a thread of its own. While the database is away the rows wait in
memory and the talk goes on.
"""

from __future__ import annotations

from realtime_widget.recorder.session import SessionRecorder
from realtime_widget.recorder.writer import RecordWriter, current_writer

__all__ = ["RecordWriter", "SessionRecorder", "current_writer"]
