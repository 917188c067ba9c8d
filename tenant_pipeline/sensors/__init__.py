"""Dagster sensors: what begins by itself."""
