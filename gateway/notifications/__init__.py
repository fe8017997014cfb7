"""Webhooks: who is told of what policies kept from passing, and of policies that failed."""
