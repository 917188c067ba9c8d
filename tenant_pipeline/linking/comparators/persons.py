"""People: names with their typing errors and swaps, birth dates, addresses and numbers.

The weights follow from sizes: a few hundred given names carry half of a population, a family name tells more, a day
of birth is one in some thirty thousand; one field in ten of what people type has an error (P. Christen, Febrl, 2008).
"""

from __future__ import annotations

from tenant_pipeline.linking.comparators.levels import AtLeast, AtMost, Comparison, Level, Missing, both, either
from tenant_pipeline.linking.comparators.measures import (
    EDITS,
    EQUAL,
    JARO_WINKLER,
    SAME_VALUE,
    SHARED_RARITY,
    Measure,
    best,
    crossed,
)

SAME_GIVEN = best("same_given", SAME_VALUE, "given")
GIVEN_LETTERS = best("given_letters", JARO_WINKLER, "given_letters")
GIVEN_SOUND = best("given_sound", EQUAL, "given_sound")
GIVEN_INITIAL = best("given_initial", EQUAL, "given_initial")
SAME_FAMILY = best("same_family", SAME_VALUE, "family")
FAMILY_LETTERS = best("family_letters", JARO_WINKLER, "family_letters")
FAMILY_SOUND = best("family_sound", EQUAL, "family_sound")
SWAPPED = crossed("swapped", JARO_WINKLER, "given_letters", "family_letters")
SAME_BIRTH = best("same_birth", SAME_VALUE, "birth")
BIRTH_EDITS = Measure("birth_edits", (("birth_digits", "birth_digits"),), EDITS, least=True)
BIRTH_SWAPPED = crossed("birth_day_month", EQUAL, "birth_digits", "birth_swapped")
BIRTH_YEAR = best("birth_year", EQUAL, "birth_year")
HOUSE = best("street_number", SAME_VALUE, "street_number")
STREET_WORDS = best("street_words", SHARED_RARITY, "street")
STREET_LETTERS = best("street_letters", JARO_WINKLER, "street_letters")
SAME_TOWN = best("person_town", SAME_VALUE, "town")
TOWN_LETTERS = best("person_town_letters", JARO_WINKLER, "town_letters")
SAME_POSTCODE = best("person_postcode", SAME_VALUE, "postcode")
POSTCODE_EDITS = Measure("postcode_edits", (("postcode_letters", "postcode_letters"),), EDITS, least=True)
SAME_REGION = best("person_region", EQUAL, "region")
SAME_PHONE = best("person_phone", SAME_VALUE, "telephone")
PHONE_EDITS = Measure("person_phone_edits", (("telephone_digits", "telephone_digits"),), EDITS, least=True)
SAME_EMAIL = best("person_email", SAME_VALUE, "email")
EMAIL_LETTERS = best("person_email_letters", JARO_WINKLER, "email_letters")
SAME_NUMBER = best("person_number", SAME_VALUE, "number")
NUMBER_EDITS = Measure("person_number_edits", (("number_letters", "number_letters"),), EDITS, least=True)

RARE = 8.0
"""Bits of rarity: fewer than one record in 250 has the name."""

GIVEN = Comparison(
    "given_name",
    both(Missing(GIVEN_LETTERS), Missing(SWAPPED)),
    (
        Level("same_rare", AtLeast(SAME_GIVEN, RARE), 0.35, 0.002, "Their given names are the same, and are rare."),
        Level("same", AtLeast(SAME_GIVEN, 0.1), 0.35, 0.008, "Their given names are the same."),
        Level("nearly_same", AtLeast(GIVEN_LETTERS, 0.9), 0.09, 0.004, "Their given names are nearly the same."),
        Level("swapped", AtLeast(SWAPPED, 0.92), 0.05, 0.003, "A given name is the other's family name."),
        Level("sound_the_same", AtLeast(GIVEN_SOUND, 1.0), 0.03, 0.01, "Their given names sound the same."),
        Level("alike", AtLeast(GIVEN_LETTERS, 0.8), 0.04, 0.015, "Their given names are alike."),
        Level("initial", AtLeast(GIVEN_INITIAL, 1.0), 0.03, 0.06, "Their given names begin with the same letter."),
        Level("differ", None, 0.06, 0.9, "Their given names differ."),
    ),
)
FAMILY = Comparison(
    "family_name",
    both(Missing(FAMILY_LETTERS), Missing(SWAPPED)),
    (
        Level("same_rare", AtLeast(SAME_FAMILY, RARE), 0.35, 0.0015, "Their family names are the same, and are rare."),
        Level("same", AtLeast(SAME_FAMILY, 0.1), 0.35, 0.006, "Their family names are the same."),
        Level("nearly_same", AtLeast(FAMILY_LETTERS, 0.9), 0.1, 0.004, "Their family names are nearly the same."),
        Level("swapped", AtLeast(SWAPPED, 0.92), 0.05, 0.003, "A family name is the other's given name."),
        Level("sound_the_same", AtLeast(FAMILY_SOUND, 1.0), 0.03, 0.01, "Their family names sound the same."),
        Level("alike", AtLeast(FAMILY_LETTERS, 0.8), 0.04, 0.015, "Their family names are alike."),
        Level("differ", None, 0.08, 0.96, "Their family names differ."),
    ),
)
BIRTH_DATE = Comparison(
    "birth_date",
    Missing(SAME_BIRTH),
    (
        Level("same", AtLeast(SAME_BIRTH, 0.1), 0.8, 0.0008, "They were born on the same day."),
        Level("day_month", AtLeast(BIRTH_SWAPPED, 1.0), 0.02, 0.0003, "Day and month of their birth are swapped."),
        Level("one_edit", AtMost(BIRTH_EDITS, 1.0), 0.1, 0.0012, "Their dates of birth differ in one digit."),
        Level("two_edits", AtMost(BIRTH_EDITS, 2.0), 0.04, 0.02, "Their dates of birth differ in two digits."),
        Level("same_year", AtLeast(BIRTH_YEAR, 1.0), 0.02, 0.02, "They were born in the same year."),
        Level("differ", None, 0.03, 0.95, "Their dates of birth differ."),
    ),
)
STREET = Comparison(
    "street",
    Missing(STREET_LETTERS),
    (
        Level("same", both(AtLeast(HOUSE, 0.1), either(AtLeast(STREET_LETTERS, 0.9), AtLeast(STREET_WORDS, 12.0))),
              0.55, 0.0005, "They live at the same street and number."),
        Level("same_street", either(AtLeast(STREET_LETTERS, 0.9), AtLeast(STREET_WORDS, 14.0)), 0.25, 0.002,
              "They live in the same street."),
        Level("a_word", AtLeast(STREET_WORDS, 8.0), 0.1, 0.01, "Their addresses share a telling word."),
        Level("differ", None, 0.1, 0.98, "Their addresses differ."),
    ),
)  # fmt: skip
TOWN = Comparison(
    "locality",
    Missing(SAME_TOWN),
    (
        Level("same_small", AtLeast(SAME_TOWN, 7.0), 0.5, 0.006, "They live in the same small town."),
        Level("same", AtLeast(SAME_TOWN, 0.1), 0.25, 0.05, "They live in the same town."),
        Level("alike", AtLeast(TOWN_LETTERS, 0.88), 0.1, 0.006, "Their towns are alike by name."),
        Level("different", None, 0.15, 0.95, "They live in different towns."),
    ),
)
POSTCODE = Comparison(
    "postal_code",
    Missing(SAME_POSTCODE),
    (
        Level("same_small", AtLeast(SAME_POSTCODE, 7.0), 0.55, 0.006, "Their postal code is the same."),
        Level("same", AtLeast(SAME_POSTCODE, 0.1), 0.25, 0.04, "Their postal code, of a large area, is the same."),
        Level("one_edit", AtMost(POSTCODE_EDITS, 1.0), 0.1, 0.015, "Their postal codes differ in one place."),
        Level("different", None, 0.1, 0.94, "Their postal codes differ."),
    ),
)
REGION = Comparison(
    "region",
    Missing(SAME_REGION),
    (
        Level("same", AtLeast(SAME_REGION, 1.0), 0.85, 0.25, "They live in the same region."),
        Level("different", None, 0.15, 0.75, "They live in different regions."),
    ),
)
NUMBER = Comparison(
    "number",
    Missing(SAME_NUMBER),
    (
        Level("same", AtLeast(SAME_NUMBER, 0.1), 0.85, 0.0002, "They bear the same number."),
        Level("one_edit", AtMost(NUMBER_EDITS, 1.0), 0.1, 0.0005, "Their numbers differ in one place."),
        Level("two_edits", AtMost(NUMBER_EDITS, 2.0), 0.02, 0.002, "Their numbers differ in two places."),
        Level("different", None, 0.04, 0.99, "Their numbers differ."),
    ),
)
TELEPHONE = Comparison(
    "telephone",
    Missing(SAME_PHONE),
    (
        Level("same", AtLeast(SAME_PHONE, 0.1), 0.7, 0.001, "They share a telephone number."),
        Level("one_edit", AtMost(PHONE_EDITS, 1.0), 0.06, 0.001, "Their telephone numbers differ in one digit."),
        Level("different", None, 0.24, 0.99, "Their telephone numbers differ."),
    ),
)
EMAIL = Comparison(
    "email",
    Missing(SAME_EMAIL),
    (
        Level("same", AtLeast(SAME_EMAIL, 0.1), 0.6, 0.0005, "They share an e-mail address."),
        Level("nearly_same", AtLeast(EMAIL_LETTERS, 0.9), 0.2, 0.003, "Their e-mail names are nearly the same."),
        Level("different", None, 0.2, 0.99, "Their e-mail addresses differ."),
    ),
)
