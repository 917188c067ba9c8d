"""How well a source or a tenant covers what the contract asks for: one measure a dimension, each with its reason."""
