"""`demo`: the pilot tenant, from its files to a running instance, a listing, and back to an earlier release."""
