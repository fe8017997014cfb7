"""From what happens in a call to rows that are durable."""
