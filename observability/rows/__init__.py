"""The record as rows: what they say, the chain over them, and the SQL that writes them."""
