"""How long the record is kept, what may not go, what goes, and what is erased on somebody's behalf."""
