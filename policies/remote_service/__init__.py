"""A service that decides in another process: what it is asked, and what it may answer."""
