"""Which entities of several sources are one: identifiers first, then an explained score, and people for the rest."""
