"""The order in which the rules of resolution are asked, by their names."""

HUMAN_PIN = "human_pin"
ORDER = (
    HUMAN_PIN,
    "drop_invalid",
    "authority_tier",
    "trust_decayed_by_age",
    "independent_corroboration",
    "recency",
    "statement_id",
)
"""Apart from the rules (`resolution.py`), which read tables: every command loads this."""
