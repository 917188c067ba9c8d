"""Names in Latin letters without a title, in running text.

A listed given name must stand in a sentence (alone in a cell `Charlie Palmer` may be a restaurant), with a listed
family name after it or with words beside it that only go with a person; and no word such as Street or Hotel follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenant_pipeline.pii.recognisers.folded import Candidate, FoldedRecogniser
from tenant_pipeline.pii.recognisers.latin_names import family_names, given_names

_UPPER, _LOWER = "A-ZÀ-ÖØ-ÞĀ-Ž", "a-zß-öø-ɏ"
_NAME = rf"[{_UPPER}][{_LOWER}{_UPPER}'’-]*[{_LOWER}]"
_PARTICLE = r"(?:de|da|di|del|van|von|der|den|bin|binti|al|el|la|le|na)"
_FULL = re.compile(
    rf"(?<![\w@.&'’/-])(?P<given>{_NAME})(?![\w@])"
    rf"(?:(?:[ ](?:[{_UPPER}]\.?|{_NAME}))?[ ](?:{_PARTICLE}[ ]){{0,2}}(?P<family>{_NAME})(?![\w@/]))?"
)
_SURELY_INTRODUCING = re.compile(r"\b[Mm]y (?:full )?name(?: is|['’]s)\s{1,3}$")
_INTRODUCING = re.compile(
    r"(?:\b(?:[Mm]y|[Hh]is|[Hh]er) name(?: is|['’]s)|\b[Ii](?:['’]m| am)|\b[Tt]his is|^Dear|^Hi|^Hello|\b[Cc]alled"
    r"|\b[Nn]amed|\b[Rr]egards,|\b[Ss]incerely,|\b[Tt]hanks,|\b[Nn]ame *:|\b[Ss]tarring"
    r"|\b(?:written|directed|signed|composed|hosted|performed|painted|owned) by"
    r"|\b(?:brother|sister|father|mother|husband|wife|son|daughter|friend|colleague|guest|manager|actor|actress|singer"
    r"|author),?)\s{1,3}$"
)
_ACTING = re.compile(
    r",?[ ](?:said|says|told|asked|lives|lived|wrote|writes|was born|shouted|replied|answered|works|worked|married|died"
    r"|moved|who|whose|he|she|can I please speak|would like|listed|thinks|thought|plays|played|sings|sang|grew up"
    r"|joined)\b"
)
_RUNNING_WORDS = (
    r"(?:[Tt]he|[Ii]s|[Ww]as|[Aa]re|[Ww]ere|[Mm]y|[Yy]our|[Hh]is|[Hh]er|[Tt]o|[Aa]t|[Bb]y|[Ff]or|[Ff]rom|[Ww]ith|said|says|lives|on|in|"
    r"[Hh]as|[Hh]ave|[Hh]ad|[Ww]ill|[Pp]lease|[Dd]ear|[Hh]ello|[Hh]i|[Tt]hat|[Ww]ho|[Ii]|[Ww]e|[Hh]e|[Ss]he|called|named|born|[Nn]ame)"
)
_RUNNING = re.compile(rf"(?<![\w'’-]){_RUNNING_WORDS}(?![\w-])")
_THING = (
    r"(?:Inc|Ltd|LLC|GmbH|Company|Group|Hotels?|Resort|Restaurant|Bar|Cafe|Café|Grill|House|Streets?|St|Road|Rd|Avenue|Ave|Lane|Drive|Dr|"
    r"Boulevard|Blvd|Square|Parks?|Gardens?|Bridge|Building|Tower|Hall|Center|Centre|Museum|Gallery|Library|Theatre|Theater|Memorial|"
    r"Monument|Church|Cathedral|Temple|School|College|University|Institute|Hospital|Clinic|Airport|Station|Stadium|Beach|Bay|Islands?|"
    r"Lake|River|Mountain|Hills?|County|City|Town|Village|Foundation|Festival|Award|Prize|Room|Suite|Apt|Fields?|Airlines|Day|Arts|"
    r"Flats?|Lodge|Place|Court|Way|Flood|Extensions?|Market|Mall|Plaza|Harbour|Harbor|State|Back|Opera|Brewing|Logan|Coast|Valley)"
)
_THING_WORD = re.compile(_THING)
_OF_A_THING = re.compile(rf"(?:,? {_THING}\b|[ ]?& |,? [0-9]|['’]s [{_UPPER}])")
_BEFORE = re.compile(
    r"(?:\b(?:Mount|Mt\.?|San|Santa|Saint|St\.?|Lake|Port|Fort|Cape|New|North|South|East|West|El|Hotel|Restaurant|Chez|Café|Cafe|Bar|"
    r"[Uu]niversity of|[Cc]hurch of|[Cc]ity of|[Tt]he|[Oo]n|[Ii]n|[Aa]t)|[0-9])[ ]$"
)


_NO_GIVEN_NAMES = frozenset(("North", "South", "East", "West", "El", "San", "Santa", "Saint", "Van", "Von", "Le", "La"))


class LatinPersonRecogniser(FoldedRecogniser):
    """Both names listed, or a listed given name where the sentence introduces somebody or lets them act."""

    entity = "PERSON"
    prefilter = rf"[{_UPPER}][^ ]*[{_LOWER}]"
    second_prefilter = _RUNNING_WORDS

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Names in running text."""
        if len(_RUNNING.findall(folded)) < 2:
            return
        position = 0
        while match := _FULL.search(folded, position):
            if _is_person(folded, match):
                yield Candidate(match.start(), match.end(), 0.65)
                position = match.end()
            else:
                position = match.end("given")


def _is_person(folded: str, match: re.Match[str]) -> bool:
    given, family = match["given"], match["family"]
    before = folded[max(0, match.start() - 40) : match.start()]
    if family and _SURELY_INTRODUCING.search(before):
        return True
    if given not in given_names() or given in _NO_GIVEN_NAMES or _OF_A_THING.match(folded, match.end()):
        return False
    if any(map(_THING_WORD.fullmatch, match[0].split())):
        return False
    if _INTRODUCING.search(before) or _ACTING.match(folded, match.end()):
        return True
    return family in family_names() and not _BEFORE.search(before)
