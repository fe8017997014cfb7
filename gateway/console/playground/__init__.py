"""The page on which a policy is tried out over one call."""
