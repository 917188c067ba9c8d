"""Feeds: what a tenant has fetched by a schedule, its versions, and who let them in."""
