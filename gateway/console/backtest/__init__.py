"""A version, or a draft, over calls that are on record: what would have become of them."""
