"""A week of feeds of many tenants on an accelerated clock, against a server that misbehaves by plan, reconciled."""
