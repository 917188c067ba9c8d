"""Nouns and rules of the brief: origins, statements, stages, gates, conflicts, coverage.

Pure: nothing here knows Dagster, a database, the network or the clock. Time, identifiers and keys come in as
arguments.
"""
