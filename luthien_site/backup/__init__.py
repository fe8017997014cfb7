"""One file with all that the database knows, from SQLite or PostgreSQL, for either of them."""
