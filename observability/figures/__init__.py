"""What happened lately, counted."""
