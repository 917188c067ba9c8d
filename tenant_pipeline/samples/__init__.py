"""Samples written by us, which ship with the package."""
