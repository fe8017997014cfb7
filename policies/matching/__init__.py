"""Finding kinds of text, whole or as it streams, and cutting them out where they stand. Pure."""
