"""Comparators for the score: one file an idea; what each says stands in the explanation that a person reads."""
