"""What a site may listen to.

Every signal is sent with ``asend_robust`` in a task of its own, after the rows it
speaks of are written: a receiver that is slow or raises never hurts a call. The
sender is the ``Conversation`` model; receivers take ``**kwargs``, since
arguments may be added.
"""

from __future__ import annotations

from django.dispatch import Signal

# A model accepted a session. Arguments: conversation (Conversation).
session_started = Signal()

# A session ended, once for each, whatever ended it. Arguments: conversation
# (Conversation), reason (str, a stop reason of the browser protocol), duration
# (float, seconds), error_code (str, "" for a normal end).
session_stopped = Signal()

# Somebody said something, and it is final. Arguments: conversation
# (Conversation), item (Item). An answer that was cut off comes again, shorter.
transcript_added = Signal()

# A tool call was answered. Arguments: conversation (Conversation), call (ToolCall).
tool_called = Signal()

# An answer or a transcription was paid for. Arguments: conversation
# (Conversation), usage (Usage).
usage_recorded = Signal()
