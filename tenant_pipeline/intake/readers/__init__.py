"""Readers, one a format: each describes the tables of a file, and then streams their rows."""
