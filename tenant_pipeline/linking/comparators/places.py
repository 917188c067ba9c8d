"""Where things are: distance, the areas that contain them, town, postal code, country."""

from __future__ import annotations

from tenant_pipeline.linking.comparators.levels import AtLeast, AtMost, Comparison, Level, Missing
from tenant_pipeline.linking.comparators.measures import EQUAL, JARO_WINKLER, SAME_VALUE, TOLERANCES, Measure, best

TOLERANCES_APART = Measure("tolerances_apart", (("geo", "geo"),), TOLERANCES, least=True)
SAME_AREA = best("same_area", SAME_VALUE, "area")
AREA_LETTERS = best("area_letters", JARO_WINKLER, "area_letters")
SAME_REGION = best("same_region", SAME_VALUE, "region")
REGION_LETTERS = best("region_letters", JARO_WINKLER, "region_letters")
SAME_TOWN = best("same_town", SAME_VALUE, "town")
TOWN_LETTERS = best("town_letters", JARO_WINKLER, "town_letters")
SAME_POSTCODE = best("same_postcode", SAME_VALUE, "postcode")
POSTCODE_LETTERS = best("postcode_letters", JARO_WINKLER, "postcode_letters")
SAME_COUNTRY = best("same_country", EQUAL, "country")

SMALL, SOME = 7.0, 4.0
"""Bits of rarity: of an area that few of the records are in, and of one that some are in."""

DISTANCE = Comparison(
    "distance",
    Missing(TOLERANCES_APART),
    (
        Level("same_spot", AtMost(TOLERANCES_APART, 1.0), 0.75, 0.02, "They are at one spot."),
        Level("near", AtMost(TOLERANCES_APART, 4.0), 0.15, 0.02, "They are near each other."),
        Level("apart", AtMost(TOLERANCES_APART, 40.0), 0.09, 0.2, "They are some way apart."),
        Level("far", None, 0.003, 0.76, "They are far apart."),
    ),
)
AREA = Comparison(
    "containing_area",
    Missing(SAME_AREA),
    (
        Level(
            "same_small", AtLeast(SAME_AREA, SMALL), 0.6, 0.02, "The area that contains them, a small one, is the same."
        ),
        Level("same", AtLeast(SAME_AREA, 0.1), 0.3, 0.08, "The area that contains them is the same."),
        Level("alike", AtLeast(AREA_LETTERS, 0.9), 0.07, 0.03, "The areas that contain them are alike by name."),
        Level("different", None, 0.013, 0.87, "The areas that contain them differ."),
    ),
)
REGION = Comparison(
    "region",
    Missing(SAME_REGION),
    (
        Level("same_small", AtLeast(SAME_REGION, SMALL), 0.3, 0.03, "They are in the same small region."),
        Level("same", AtLeast(SAME_REGION, 0.1), 0.6, 0.15, "They are in the same region."),
        Level("alike", AtLeast(REGION_LETTERS, 0.9), 0.05, 0.02, "Their regions are alike by name."),
        Level("different", None, 0.04, 0.78, "They are in different regions."),
    ),
)
TOWN = Comparison(
    "locality",
    Missing(SAME_TOWN),
    (
        Level("same_small", AtLeast(SAME_TOWN, SMALL), 0.4, 0.014, "Their addresses name the same small town."),
        Level("same", AtLeast(SAME_TOWN, SOME), 0.3, 0.03, "Their addresses name the same town."),
        Level("same_big", AtLeast(SAME_TOWN, 0.1), 0.15, 0.1, "Their addresses name the same big town."),
        Level("alike", AtLeast(TOWN_LETTERS, 0.88), 0.05, 0.02, "The towns of their addresses are alike by name."),
        Level("different", None, 0.2, 0.82, "Their addresses name different towns."),
    ),
)
POSTCODE = Comparison(
    "postal_code",
    Missing(SAME_POSTCODE),
    (
        Level("same_small", AtLeast(SAME_POSTCODE, SMALL), 0.5, 0.02, "The postal code, of a small area, is the same."),
        Level("same", AtLeast(SAME_POSTCODE, 0.1), 0.3, 0.08, "The postal code is the same."),
        Level("alike", AtLeast(POSTCODE_LETTERS, 0.9), 0.08, 0.1, "The postal codes are alike."),
        Level("different", None, 0.12, 0.7, "The postal code differs."),
    ),
)
COUNTRY = Comparison(
    "country",
    Missing(SAME_COUNTRY),
    (
        Level("same", AtLeast(SAME_COUNTRY, 1.0), 0.99, 0.7, "They are in the same country."),
        Level("different", None, 0.01, 0.3, "They are in different countries."),
    ),
)
