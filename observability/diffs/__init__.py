"""What stood there before, beside what became of it."""
