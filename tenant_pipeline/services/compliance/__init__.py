"""Control evidence on data protection: what is declared, what is checked, and what a breach asks for."""
