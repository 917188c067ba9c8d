"""When two sources say different things: compared by type, resolved by rank, never decided in silence."""
