"""Whether the record still says what was recorded: chains, seals, anchor, bodies."""
