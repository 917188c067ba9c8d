"""The brief's sequence: asked for, approved, released, provisioned, live, listed; and back."""
