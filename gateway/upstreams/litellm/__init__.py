"""Providers that speak none of our dialects, reached through litellm as a library."""
