"""Records become statements by declared mappings: what they are, which fits a table, and how they are applied."""
