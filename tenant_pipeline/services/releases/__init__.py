"""Releases of a tenant's knowledge base: built unseen, checked, published at once, gone back to."""
