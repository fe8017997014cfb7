"""What people make of calls and verdicts: labels, comments, the list of what nobody looked at, precision."""
