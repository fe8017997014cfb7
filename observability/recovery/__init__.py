"""What is durable before the database has it, and what becomes of the calls of processes that died."""
