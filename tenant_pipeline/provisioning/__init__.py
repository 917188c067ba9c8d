"""A running instance per tenant: one contract, and the backends that keep it."""
