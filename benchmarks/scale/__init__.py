"""How the runtime behaves as it grows, on one machine: each file is one part with a function `measure(**size) -> dict`.

What every part gives back is in `part.py`; which parts there are, and how large, is the one list in `parts.py`.
"""
