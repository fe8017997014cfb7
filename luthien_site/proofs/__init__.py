"""The long proofs of `manage.py prove`: each a module with a `PROOF`; the tests run each of them small."""
