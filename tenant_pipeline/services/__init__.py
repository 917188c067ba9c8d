"""The use cases: register a tenant, take in a source, walk a stage, decide a gate, score, compare.

Each is one transaction (or one per stage), knows no Dagster and no command line, and leaves an audit entry behind.
"""
