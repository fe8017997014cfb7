"""Seals: a signature, every few seconds, over where all chains of the record stand."""
