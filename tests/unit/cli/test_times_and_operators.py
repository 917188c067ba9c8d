"""A time that is given on the command line, and who is taken to have given it."""

from __future__ import annotations

import getpass
import os
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tenant_pipeline.cli import audit
from tenant_pipeline.cli.shell import operator
from tenant_pipeline.services.audit_trail import AuditFilter, AuditPage


def listed_since(text: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Result, list[datetime | None]]:
    """`audit list --since TEXT`, and from when on entries were then asked for."""
    asked = []

    def read(_runtime: Any, _tenant: Any, wanted: AuditFilter, **_: Any) -> AuditPage:
        asked.append(wanted.since)
        return AuditPage([], None)

    monkeypatch.setattr(audit, "opened", nullcontext)
    monkeypatch.setattr(audit.registry, "show_tenant", lambda *_: None)
    monkeypatch.setattr(audit, "read_audit", read)
    return CliRunner().invoke(audit.app, ["list", "--tenant", "phuket-mice", "--since", text]), asked


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-11-01T09:00:00+07:00", datetime(2026, 11, 1, 2, tzinfo=UTC)),
        ("2026-11-01T09:00:00Z", datetime(2026, 11, 1, 9, tzinfo=UTC)),
        ("2026-11-01T09:00", datetime(2026, 11, 1, 9, tzinfo=UTC)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("20261101", datetime(2026, 11, 1, tzinfo=UTC)),
    ],
)
def test_a_time_counts_by_the_zone_that_it_says_and_else_in_utc(
    text: str, meant: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, asked = listed_since(text, monkeypatch)
    assert ended.exit_code == 0, ended.output
    assert asked == [meant]


@pytest.mark.parametrize("text", ["yesterday", "1793491200", "2026-13-01", "0001-01-01T00:00:00+07:00", ""])
def test_what_is_no_time_is_refused_by_the_options_name_and_told_how_one_is_written(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, asked = listed_since(text, monkeypatch)
    assert ended.exit_code == 2
    assert "--since" in ended.output
    assert "2026-11-01T09:00:00+07:00" in ended.output
    assert asked == []


def test_who_runs_a_command_in_a_container_has_a_number_where_others_have_a_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_such_user() -> str:
        raise KeyError("getpwuid(): uid not found: 10001")

    assert operator() == getpass.getuser()
    monkeypatch.setattr(getpass, "getuser", no_such_user)
    assert operator() == f"uid-{os.getuid()}"
