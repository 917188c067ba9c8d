"""What the Personal Data Protection Act B.E. 2562 (PDPA) asks, as far as a machine can look at it."""
