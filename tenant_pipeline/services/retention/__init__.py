"""Retention: how long superseded files are kept, legal holds, and pruning what nothing needs any more."""
