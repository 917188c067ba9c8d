"""Canonical values: for each datatype one small pure function that reads a source's text and writes it one way.

`stage.py` holds the one visible list of datatypes and their standardisers and runs them over statement tables. A
standardiser either returns the canonical value with the name of the rule that read it, or says why the text cannot
be read; it never guesses between two readings without the rule's name saying so. Nothing here validates against the
contract: that is the next stage's work.
"""
