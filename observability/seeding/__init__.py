"""Calls that never were: a record as teams of agents would have left it, to look at, to search and to measure."""
