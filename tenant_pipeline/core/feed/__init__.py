"""Feeds: sources that are fetched by a schedule, when they are due, and what is noticed in a new version."""
