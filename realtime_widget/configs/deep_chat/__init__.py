"""From deep-chat's JSON to rows, telling for each field what became of it.

The JSON is what pages had in ``directConnection``; its shape is that of deep-chat's
page on OpenAI Realtime. Whatever it holds goes through the validators of the rows.
"""

from __future__ import annotations

from realtime_widget.configs.deep_chat.importing import (
    import_deep_chat,
    parse_direct_connection,
)
from realtime_widget.configs.deep_chat.notes import Imported, Note

__all__ = ["Imported", "Note", "import_deep_chat", "parse_direct_connection"]
