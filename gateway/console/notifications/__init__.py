"""The pages of webhooks: endpoints, and what became of what they were told."""
