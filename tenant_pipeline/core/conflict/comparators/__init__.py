"""Comparators by datatype: one file an idea; a function's docstring is the sentence that a person sees."""
