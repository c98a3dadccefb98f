"""What a site may listen to.

Every signal is sent with ``asend_robust`` in a task of its own (``feedback_given``,
which belongs to a request, with ``send_robust``), after the rows it speaks of are
written: a receiver that is slow or raises never hurts a call. The
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

# A conversation was passed to another agent. Arguments: conversation
# (Conversation), event (ConversationEvent).
handoff = Signal()

# Something that was said, or given to a tool, tripped a guardrail. Arguments:
# conversation (Conversation), event (ConversationEvent).
guardrail_tripped = Signal()

# The visitor was told of an error. Arguments: conversation (Conversation), event
# (ConversationEvent; its name is the code of the browser protocol's table).
session_error = Signal()

# A visitor gave an opinion, or changed it. Arguments: conversation (Conversation),
# feedback (Feedback).
feedback_given = Signal()

# An answer or a transcription was paid for. Arguments: conversation
# (Conversation), usage (Usage).
usage_recorded = Signal()
