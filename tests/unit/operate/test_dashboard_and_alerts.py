"""What is drawn and what alarms is really told, and what is told is described."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tenant_pipeline.api.metrics import count_request, exposition
from tenant_pipeline.cli.doctor.examinations import EXAMINATIONS
from tenant_pipeline.services.observation.figures import FIGURES, Figure

ROOT = Path(__file__).resolve().parents[3]
PLACE = ROOT / "deploy" / "observability"
NAME = re.compile(r"\btenant_runtime_\w+")
PARTS = ("_created", "_bucket", "_count", "_sum")
LABELS = re.compile(r"(tenant_runtime_\w+)\{(\w+)")


@pytest.fixture(scope="module")
def told() -> dict[str, set[str]]:
    """Every metric that the exposition holds, with its labels."""
    count_request("GET", "/api/labels", 200, 0.1)
    figures = [Figure(name, 1, dict.fromkeys(labels, "x")) for name, (_, labels) in FIGURES.items()]
    families = text_string_to_metric_families(exposition(figures).decode())
    found: dict[str, set[str]] = {}
    for family in families:
        found.setdefault(family.name, set())
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def _panels() -> list[dict[str, Any]]:
    panels: list[dict[str, Any]] = json.loads((PLACE / "grafana-dashboard.json").read_text())["panels"]
    return panels


def _drawn() -> list[str]:
    return [target["expr"] for panel in _panels() for target in panel["targets"]]


def _alarming() -> list[str]:
    rules = yaml.safe_load((PLACE / "alerts.yaml").read_text())
    return [rule["expr"] for group in rules["groups"] for rule in group["rules"]]


def _families(told: dict[str, set[str]]) -> set[str]:
    """The metrics by the names that their parts have in common."""
    return {name.removesuffix("_total") for name in told if not name.endswith(PARTS)}


def test_that_no_process_answers_alarms_by_itself_and_not_as_something_else() -> None:
    rules = yaml.safe_load((PLACE / "alerts.yaml").read_text())["groups"][0]["rules"]
    missing = {rule["alert"]: rule["expr"] for rule in rules if "absent(" in rule["expr"]}
    assert missing.pop("TenantRuntimeNotTold") == "absent(tenant_runtime_figures_read)"
    assert missing
    for expression in missing.values():
        assert re.search(r"\(absent\(\w+\) and max\(tenant_runtime_figures_read\) == 1\)", expression), expression


def test_every_metric_that_is_told_is_drawn(told: dict[str, set[str]]) -> None:
    drawn = {name for expression in _drawn() for name in NAME.findall(expression)}
    undrawn = {
        family
        for family in _families(told)
        if not drawn & {family, *(f"{family}{part}" for part in ("_total", *PARTS))}
    }
    assert undrawn == set()


def test_panels_have_each_a_place_and_a_number_of_their_own() -> None:
    panels = _panels()
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}) == len(panels)
    assert len({panel["title"] for panel in panels}) == len(panels)


def test_every_metric_that_is_drawn_or_alarms_is_told(told: dict[str, set[str]]) -> None:
    for expression in [*_drawn(), *_alarming()]:
        names = NAME.findall(expression)
        assert names, expression
        for name in names:
            name_told = name if name in told else name.removesuffix("_total")
            assert name_told in told, expression
        for name, label in LABELS.findall(expression):
            assert label in told[name], expression


def test_a_label_is_one_of_few(told: dict[str, set[str]]) -> None:
    of_tenants = {name for name, labels in told.items() if "tenant" in labels}
    assert of_tenants == {
        "tenant_runtime_tenant_waiting_sources",
        "tenant_runtime_tenant_oldest_waiting_source_seconds",
    }
    labels = set().union(*told.values())
    assert not labels & {"source", "person", "run_id", "path", "feed"}


def test_an_address_that_anybody_can_make_up_becomes_no_time_series(told: dict[str, set[str]]) -> None:
    count_request("GET", "", 404, 0.1)
    count_request("BREW" * 10, "", 404, 0.1)
    text = exposition([]).decode()
    assert 'route="none"' in text
    assert 'method="other"' in text
    assert "BREW" not in text


def test_every_metric_is_described(told: dict[str, set[str]]) -> None:
    described = (ROOT / "docs" / "operate" / "observability.md").read_text()
    assert {name for name in _families(told) if f"`{name}" not in described} == set()


def test_as_many_examinations_are_described_as_there_are() -> None:
    described = (ROOT / "docs" / "operate" / "observability.md").read_text()
    assert f"makes {len(EXAMINATIONS)} examinations" in described


def test_every_alert_names_a_page_that_is_there() -> None:
    rules = yaml.safe_load((PLACE / "alerts.yaml").read_text())
    for rule in rules["groups"][0]["rules"]:
        page = ROOT / rule["annotations"]["runbook"]
        assert page.exists(), page
        assert rule["alert"] in page.read_text(), f"{page} does not say what is seen"
