"""Feature flags: typed defaults in one registry, overrides per tenant, read through OpenFeature."""
