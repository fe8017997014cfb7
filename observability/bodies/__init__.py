"""Bodies stored by content, and read again."""
