"""Backups: rows, keys, objects, credentials and checkpoints, sealed to a recovery key; and bringing them back."""
