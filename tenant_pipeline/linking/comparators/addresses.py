"""Addresses: the house number, and the street by its telling words, in any language."""

from __future__ import annotations

from tenant_pipeline.linking.comparators.levels import AtLeast, AtMost, Comparison, Level, Missing, both, either
from tenant_pipeline.linking.comparators.measures import CONTAINED_RARITY, EQUAL, SHARED_RARITY, SHARED_SHARE, best

HOUSE = best("house", EQUAL, "house_numbers")
STREET = best("street", SHARED_RARITY, "street")
STREET_SHARE = best("street_share", SHARED_SHARE, "street")
STREET_CONTAINED = best("street_contained", CONTAINED_RARITY, "street")

_STREET = either(AtLeast(STREET_SHARE, 0.6), AtLeast(STREET_CONTAINED, 4.0))

ADDRESS = Comparison(
    "address",
    both(Missing(HOUSE), Missing(STREET_SHARE)),
    (
        Level("same", both(AtLeast(HOUSE, 1.0), _STREET), 0.6, 0.0012,
              "Their addresses have the same street and number."),
        Level("same_number", both(AtLeast(HOUSE, 1.0), AtLeast(STREET, 4.0)), 0.08, 0.002,
              "Their addresses have the same number and a telling word of the street."),
        Level("same_street", both(Missing(HOUSE), _STREET), 0.1, 0.02, "Their addresses are in the same street."),
        Level("another_number", both(AtMost(HOUSE, 0.0), _STREET), 0.06, 0.06,
              "Their addresses are in the same street, at different numbers."),
        Level("number_only", both(AtLeast(HOUSE, 1.0), Missing(STREET_SHARE)), 0.05, 0.02,
              "Their addresses have the same number."),
        Level("some_words", AtLeast(STREET, 4.0), 0.05, 0.05, "Their addresses share words."),
        Level("different", None, 0.1, 0.85, "Their addresses differ."),
    ),
)  # fmt: skip
