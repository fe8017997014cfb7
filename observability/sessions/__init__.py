"""Sessions: a client's conversation as one story, told from the calls that are on record."""
