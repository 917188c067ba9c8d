"""What the samples of each origin say, to the letter: a file, and statements that must come out with their places."""

from __future__ import annotations

from typing import NamedTuple

from tenant_pipeline.core.origin import Origin


class Said(NamedTuple):
    """A statement as it must come out: its type, property, language and value, and its place within the object."""

    type: str
    property: str
    lang: str
    value: str
    place: str


class Sample(NamedTuple):
    """A file among the samples of an origin, the reader that must read it, and what it must be found to say.

    `refused_beside` are the codes with which other samples of the origin are refused, as they should be.
    """

    file: str
    reader: str
    said: tuple[Said, ...]
    refused_beside: tuple[str, ...] = ()


SAMPLES: dict[Origin, Sample] = {
    Origin.FOUNDER: Sample(
        "vision.md",
        "markdown",
        (
            Said("WebPage", "headline", "en", "Why every hall should be findable", "line=1&field=headline"),
            Said("WebPage", "datePublished", "", "2026-02-14", "line=1&field=published"),
        ),
    ),
    Origin.CANONICAL: Sample(
        "records.yaml",
        "yaml",
        (
            Said("Event", "name", "zh", "游艇码头展", "/events/0&field=name_zh"),
            Said("Event", "startDate", "", "2026-03-05", "/events/0&field=start date"),
            Said("EventVenue", "maximumAttendeeCapacity", "", "1800", "/venues/0&field=capacity"),
        ),
    ),
    Origin.CONCEPT: Sample(
        "concept.md",
        "markdown",
        (
            Said("EventVenue", "name", "th", "ศูนย์ประชุมอ่าวสน", "table=1&line=15&field=name_th"),
            Said("EventVenue", "maximumAttendeeCapacity", "", "3200", "table=1&line=16&field=capacity"),
        ),
    ),
    Origin.SYSTEM: Sample(
        "openapi.yaml",
        "openapi",
        (
            Said("DefinedTerm", "description", "en", "Seats in theatre style",
                 "/components/schemas/Hall/properties/capacity&field=description"),
            Said("DefinedTerm", "name", "en", "name_th", "/components/schemas/Hall/properties/name_th&field=name"),
        ),
    ),
    Origin.PARTNER_DOC: Sample(
        "places.geojson",
        "geojson",
        (
            Said("EventVenue", "geo", "", "7.776500,98.302100", "/features/0&field=latitude,longitude"),
            Said("EventVenue", "name", "zh", "松湾会议中心", "/features/0&field=name_zh"),
        ),
    ),
    Origin.REGULATOR: Sample(
        "ckan.json",
        "ckan",
        (
            Said("EventVenue", "identifier", "", "HK-2561-0007", "/result/records/0&field=licence no"),
            Said("EventVenue", "openingDate", "", "2018-02-12", "/result/records/0&field=opening date"),
        ),
    ),
    Origin.CHATGPT: Sample(
        "conversations.json",
        "chatgpt",
        (
            Said("EventVenue", "name", "th", "หอประชุมดอยคำ", "message=cm-answer&table=1&line=5&field=name_th"),
            Said("EventVenue", "maximumAttendeeCapacity", "", "1200",
                 "message=cm-answer&table=1&line=5&field=capacity"),
            Said("WebPage", "url", "", "https://doikham-hall.example/rooms",
                 "message=cm-answer&citation=1&field=url"),
        ),
    ),
    Origin.CLAUDE: Sample(
        "conversations.json",
        "claude",
        (
            Said("EventVenue", "name", "en", "Pran Buri Garden Hall", "message=hh-2&table=1&line=7&field=name_en"),
            Said("EventVenue", "maximumAttendeeCapacity", "", "250", "message=hh-2&table=1&line=7&field=capacity"),
            Said("WebPage", "url", "", "https://huahin-forum.example/facts", "message=hh-2&citation=1&field=url"),
        ),
        ("account-data",),
    ),
    Origin.GEMINI: Sample(
        "MyActivity.json",
        "gemini",
        (
            Said("EventVenue", "maximumAttendeeCapacity", "", "8000", "message=1-answer&table=1&line=5&field=capacity"),
            Said("WebPage", "url", "", "https://mekong-expo.example/halls", "message=1-answer&citation=1&field=url"),
        ),
    ),
    Origin.PERPLEXITY: Sample(
        "thread.md",
        "perplexity",
        (
            Said("EventVenue", "name", "th", "หอตลาดนาเกลือ", "message=1-answer&table=1&line=6&field=name_th"),
            Said("WebPage", "url", "", "https://nakluea.example/halls", "message=1-answer&citation=2&field=url"),
        ),
    ),
    Origin.MIXED: Sample(
        "halls.csv",
        "csv",
        (
            Said("EventVenue", "name", "zh", "奥陆贸易中心", "row=3&field=中文名"),
            Said("EventVenue", "openingDate", "", "2016-08-12", "row=2&field=วันที่เปิด"),
            Said("EventVenue", "postalCode", "", "81120", "row=2&field=รหัสไปรษณีย์"),
        ),
    ),
    Origin.LEGACY_WIKI: Sample(
        "venue-wiki.xml",
        "mediawiki-dump",
        (
            Said("Place", "name", "en", "Makham Bay Convention Centre", "page=11&listing=2&field=name"),
            Said("Place", "geo", "", "7.826300,98.402000", "page=11&listing=3&field=latitude,longitude"),
            Said("Place", "address", "th", "12 ถนนศักดิเดช", "page=11&listing=3&field=address"),
        ),
    ),
    Origin.PRESS: Sample(
        "article.html",
        "html",
        (
            Said("Event", "name", "zh", "泻湖船展", "json-ld=1&item=3&field=name_zh"),
            Said("Event", "endDate", "", "2026-03-16", "json-ld=1&item=3&field=end date"),
            Said("Place", "geo", "", "7.992100,98.305500", "json-ld=1&item=2&field=latitude,longitude"),
        ),
    ),
}  # fmt: skip
