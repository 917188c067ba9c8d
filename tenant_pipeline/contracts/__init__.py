"""The eight contracts: JSON, read-only at run time, each with a JSON Schema, a semantic version and trilingual labels.

What the brief leaves open is filled in with the field's terms, and each contract's `honest_note` says what that was.
"""
