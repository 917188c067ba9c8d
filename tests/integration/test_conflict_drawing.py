"""The drawn matrix: what it shows, that it needs nothing else, and that no source can write into it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from lxml import html

from tenant_pipeline.core.errors import NotFoundError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.conflicts.drawing import draw_matrix
from tenant_pipeline.services.conflicts.reading import Filter
from tests.integration.conflict_statements import Sources, new_tenant
from tests.integration.conftest import TwoTenants

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</td></table><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "'><a href=javascript:alert(1)>x</a>",
    "<!--", "]]>", "&lt;b&gt;", "\u202egnp.exe", "</style><style>*{display:none}",
]  # fmt: skip


@pytest.fixture
def sources(tenants: TwoTenants) -> Sources:
    return new_tenant(tenants.runtime)


def drawn(sources: Sources, wanted: Filter | None = None, items: int = 200) -> str:
    return draw_matrix(sources.runtime, sources.tenant, wanted or Filter(), items=items)


def texts(page: str, path: str) -> list[str]:
    found = html.fromstring(page).xpath(path)
    return [" ".join(each.text_content().split()) for each in found]


def test_the_heat_map_counts_open_items_of_each_source_and_property(sources: Sources) -> None:
    for number in range(3):
        sources.say(
            1, *[("postalCode", "", "83000"), ("name", "en", f"Hall {number}")], entity=f"can-{number}",
            title="Register", compare=False,
        )  # fmt: skip
        sources.say(
            2, *[("postalCode", "", "83100"), ("name", "en", f"Pavilion {number}")], entity=f"can-{number}",
            title="Guide", compare=False, tier=3,
        )  # fmt: skip
    with sources.runtime.database.tenant(sources.tenant) as connection:
        connection.execute("UPDATE runtime.statements SET retired_at = NULL")
    for source in list(sources.assembled):
        sources.compare(source)
    page = drawn(sources)
    assert texts(page, "//table[@class='heat']//tbody//th/bdi") == ["Register", "Guide"]
    assert texts(page, "//table[@class='heat']//thead//th") == ["name", "postalCode"]
    assert texts(page, "//table[@class='heat']//td[contains(@class, 'cell')]/b") == ["3"] * 4
    assert texts(page, "//dl//dd") == ["6", "0", "0", "0"]
    assert len(texts(page, "//table[@class='items']/tbody/tr")) == 6
    assert texts(drawn(sources, Filter(property="name")), "//table[@class='heat']//thead//th") == ["name"]
    few = drawn(sources, items=2)
    assert len(texts(few, "//table[@class='items']/tbody/tr")) == 2
    assert "2 of 6 items" in " ".join(texts(few, "//p"))


def test_a_tenant_without_conflicts_has_a_page_that_says_so(sources: Sources) -> None:
    assert "No two sources write the same property differently." in texts(drawn(sources), "//p")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_a_source_says_is_shown_and_never_run(sources: Sources, hostile: str) -> None:
    sources.say(1, ("name", "en", hostile), title=hostile)
    sources.say(2, ("name", "en", "Makham Hall"), title="Guide")
    page = drawn(sources)
    plain = new_tenant(sources.runtime)
    plain.say(1, ("name", "en", "Harmless"), title="Harmless")
    plain.say(2, ("name", "en", "Makham Hall"), title="Guide")
    assert _structure(page) == _structure(drawn(plain)), "no element and no attribute is added"
    shown = hostile.strip()
    assert any(shown in cell for cell in html.fromstring(page).xpath("//table[@class='items']//td/text()")) or (
        shown in html.fromstring(page).text_content()
    )


def _structure(page: str) -> list[tuple[str, tuple[str, ...]]]:
    seen: list[tuple[str, tuple[str, ...]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.append((tag, tuple(name for name, _ in attrs)))

    Reader().feed(page)
    return seen


def test_the_page_loads_and_runs_nothing(sources: Sources) -> None:
    sources.say(1, ("name", "en", "Hall"))
    sources.say(2, ("name", "en", "Pavilion"))
    page = drawn(sources)
    tree = html.fromstring(page)
    assert tree.xpath("//script | //link | //img | //iframe | //object | //form") == []
    assert tree.xpath("//@src") == []
    assert {target[0] for target in tree.xpath("//@href")} == {"#"}
    assert not re.search(r"url\(|@import|https?:", page)
    (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy.startswith("default-src 'none'")


def test_every_link_of_the_page_leads_somewhere_on_it(sources: Sources) -> None:
    sources.say(1, ("name", "en", "Hall"))
    sources.say(2, ("name", "en", "Pavilion"))
    tree = html.fromstring(drawn(sources))
    ids = set(tree.xpath("//@id"))
    assert {target[1:] for target in tree.xpath("//@href")} <= ids


def test_each_cell_says_in_words_what_its_colour_shows(sources: Sources) -> None:
    sources.say(1, ("name", "en", "Hall"))
    sources.say(2, ("name", "en", "Pavilion"))
    page = drawn(sources)
    assert texts(page, "//table[@class='heat']//td[contains(@class,'cell')]")[0] == "1open; 1 differs; 1 open, 0 signed"
    tree = html.fromstring(page)
    for table in tree.xpath("//table"):
        assert table.xpath(".//thead//th[not(@scope='col')] | .//tbody//th[not(@scope='row')]") == []
    for cell in tree.xpath("//table[@class='items']/tbody//td[position() > 1]"):
        assert cell.xpath("./span[@class='hidden']/text()")[0].rstrip(": ") in ("agrees", "differs", "says nothing")


def test_the_matrix_of_another_tenant_is_not_drawn(sources: Sources, tenants: TwoTenants) -> None:
    sources.say(1, ("name", "en", "Hall"), title="Secret list")
    sources.say(2, ("name", "en", "Pavilion"))
    assert "Secret list" not in drawn(new_tenant(tenants.runtime))
    with pytest.raises(NotFoundError):
        draw_matrix(tenants.runtime, TenantId("nobody-here"))
