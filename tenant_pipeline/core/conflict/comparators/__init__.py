"""Comparators by datatype: one file an idea, one small function a rule.

A rule looks at two values and gives a verdict, or None when it has nothing to say. Its name is the rule that stands in
the conflict matrix, the first line of its docstring the sentence that a person reads there.
"""
