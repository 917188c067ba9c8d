"""How things are reached, and when they take place: what two different things seldom share."""

from __future__ import annotations

from tenant_pipeline.linking.comparators.levels import AtLeast, AtMost, Comparison, Level, Missing, both
from tenant_pipeline.linking.comparators.measures import EDITS, EQUAL, SAME_VALUE, Measure, best

SHARED_PHONE = best("shared_phone", SAME_VALUE, "telephone")
PHONE_EDITS = Measure("phone_edits", (("telephone_digits", "telephone_digits"),), EDITS, least=True)
SHARED_SITE = best("shared_site", SAME_VALUE, "site")
SHARED_PAGE = best("shared_page", SAME_VALUE, "page")
SHARED_EMAIL = best("shared_email", SAME_VALUE, "email")
SAME_START = best("same_start", EQUAL, "start")

RARE = 8.0
"""Bits: of a number or site that one thing has, or a few; a head office's is shared by many."""

TELEPHONE = Comparison(
    "telephone",
    Missing(SHARED_PHONE),
    (
        Level("same", AtLeast(SHARED_PHONE, RARE), 0.6, 0.004, "They share a telephone number."),
        Level("same_shared", AtLeast(SHARED_PHONE, 0.1), 0.1, 0.012, "They share a telephone number that many have."),
        Level("one_digit", AtMost(PHONE_EDITS, 1.0), 0.03, 0.003, "Their telephone numbers differ in one digit."),
        Level("different", None, 0.27, 0.98, "Their telephone numbers differ."),
    ),
)
WEBSITE = Comparison(
    "website",
    both(Missing(SHARED_SITE), Missing(SHARED_PAGE)),
    (
        Level("same_page", AtLeast(SHARED_PAGE, RARE), 0.3, 0.003, "They share a web page."),
        Level("same_site", AtLeast(SHARED_SITE, RARE), 0.35, 0.008, "They share a website."),
        Level("same_shared", AtLeast(SHARED_SITE, 0.1), 0.1, 0.04, "They share a website that many have."),
        Level("different", None, 0.25, 0.95, "Their web addresses differ."),
    ),
)
EMAIL = Comparison(
    "email",
    Missing(SHARED_EMAIL),
    (
        Level("same", AtLeast(SHARED_EMAIL, RARE), 0.5, 0.004, "They share an e-mail address."),
        Level("same_shared", AtLeast(SHARED_EMAIL, 0.1), 0.1, 0.02, "They share an e-mail address that many have."),
        Level("different", None, 0.4, 0.97, "Their e-mail addresses differ."),
    ),
)
START_DATE = Comparison(
    "start_date",
    Missing(SAME_START),
    (
        Level("same", AtLeast(SAME_START, 1.0), 0.95, 0.05, "They begin on the same day."),
        Level("different", None, 0.0002, 0.9, "They begin on different days."),
    ),
)
"""Editions of an event differ in their day alone."""
