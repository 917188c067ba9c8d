"""Control evidence: what was declared of processing, breaches and their clock, and what the stores show."""
