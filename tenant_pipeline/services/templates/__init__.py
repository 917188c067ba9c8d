"""Templates: published once and for all, pinned by tenants, upgraded by a plan that was looked at."""
