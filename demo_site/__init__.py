"""Quillmere Cycles: an invented bicycle shop that shows what the widget can do."""
