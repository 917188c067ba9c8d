"""The quality gate: pandera schemas built from the vocabulary, and the verdict on what they let through.

`checks.py` lists what is checked of a statement, each check by the name that a reject carries; `value_forms.py` says
which form a canonical value of each datatype has; `schema.py` turns both into one pandera schema; `stage.py` runs it
over statement tables and judges the share that failed. Nothing here changes a value.
"""
