"""How right the judgements are: measured against gold data, beside the peer that a user would otherwise pick."""
