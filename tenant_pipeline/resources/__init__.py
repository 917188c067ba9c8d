"""Dagster resources: the running installation, as assets and sensors ask for it."""
