"""Recognisers of personal data, one subject a file; `registry.py` lists them all. They read folded text only."""
