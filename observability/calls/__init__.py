"""One call as people read it."""
