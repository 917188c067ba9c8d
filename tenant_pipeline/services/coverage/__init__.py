"""The coverage score: counted in SQL, judged by the contract's formulas, explained, and answered for by people."""
