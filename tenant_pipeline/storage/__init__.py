"""Where things are kept: the database and its supervisor, keys, encrypted files, stage outputs, the audit log.

Each file is one concern. What is said in SQL stands in `migrations/sql`, for a DBA to read; nothing here decides
anything about a source.
"""
