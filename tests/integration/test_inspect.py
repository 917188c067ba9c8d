"""Anyone can see what we see in a file before handing it in, without an installation and without leaving a trace."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tenant_pipeline.cli.main import app
from tenant_pipeline.cli.shell import ExitCode, exit_code
from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.origin import Origin
from tenant_pipeline.intake.archive import ArchiveLimits
from tenant_pipeline.intake.receive import ReceiveLimits
from tenant_pipeline.services.inspection import InspectionLimits, inspect_path

CARDS = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Bay Hall\r\nORG:Bay Events\r\nEND:VCARD\r\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as a partner sends it: good, odd and broken files."""
    monkeypatch.setenv("TENANT_RUNTIME_HOME", str(tmp_path / "home that must not come to be"))
    sent = tmp_path / "sent"
    (sent / "2026").mkdir(parents=True)
    (sent / "2026" / "halls [new].csv").write_bytes(
        "ชื่อสถานที่;ที่นั่ง;เบอร์ติดต่อ\nโถงริมอ่าว;120;081-555-0199\nหอประชุม;80;081-555-0188\nลาน;x;1;2\n".encode("cp874")
    )
    (sent / "cards.dat").write_text(CARDS)
    (sent / "broken.pdf").write_bytes(b"%PDF-1.7 nothing of the kind")
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("notes.md", "# Halls\n\nTwo halls.\n")
        archive.writestr("../escape.csv", "a,b\n1,2\n")
    (sent / "more.zip").write_bytes(written.getvalue())
    return sent


def _inspected(path: Path) -> dict[str, dict[str, Any]]:
    done = CliRunner().invoke(app, ["inspect", str(path), "--origin", "partner-doc", "--json"])
    assert done.exit_code == 0, done.output
    return {each["path"]: each for each in json.loads(done.stdout)}


def test_each_file_is_told_with_format_encoding_tables_and_problems(folder: Path) -> None:
    found = _inspected(folder)
    assert set(found) == {
        "2026/halls [new].csv", "cards.dat", "broken.pdf", "more.zip!/notes.md", "more.zip member=2",
    }  # fmt: skip
    halls = found["2026/halls [new].csv"]
    assert (halls["media_type"], halls["encoding"], halls["problems"]) == ("text/csv", "cp874", 1)
    assert halls["first_problems"][0]["locator"] == "row=4"
    assert halls["first_problems"][0]["code"] == "ragged-row"
    assert halls["tables"][0]["rows"] == 2
    assert found["cards.dat"]["media_type"] == "text/vcard"
    assert found["broken.pdf"]["refused"] == "broken-pdf"
    assert found["more.zip member=2"]["refused"] == "path-traversal"
    assert found["more.zip!/notes.md"]["tables"][0]["shape"] == "segments"


def test_of_an_archive_that_holds_a_file_twice_each_is_shown_as_it_is(folder: Path) -> None:
    with zipfile.ZipFile(folder / "twice.zip", "w") as archive:
        archive.writestr("a.csv", "name,capacity\nHall A,100\n")
        archive.writestr("b.csv", "name,capacity\nHall A,100\n")
        archive.writestr("c.csv", "street,city,postcode\nShore Road,Phuket,83000\n")
    found = _inspected(folder / "twice.zip")
    shown = {path.partition("!/")[2]: each["tables"][0]["fields"] for path, each in found.items()}
    assert shown["a.csv"] == shown["b.csv"] == ["name", "capacity"]
    assert shown["c.csv"] == ["street", "city", "postcode"]


def test_what_there_is_no_time_or_room_to_look_at_is_told_and_the_command_looks_at_all(folder: Path) -> None:
    with zipfile.ZipFile(folder / "many.zip", "w") as archive:
        for number in range(4):
            archive.writestr(f"{number}.csv", f"name,capacity\nHall,{number}\n")
    few = ReceiveLimits(archive=ArchiveLimits(max_members=3))
    for limits in (InspectionLimits(few, 60), InspectionLimits(seconds=0)):
        found = inspect_path(folder / "many.zip", Origin.PARTNER_DOC, load_contracts(), limits)
        assert {each.refused for each in found} == {"not-looked-at"}
    assert [each["refused"] for each in _inspected(folder / "many.zip").values()] == [""] * 4


def test_unseen_columns_get_a_proposal_and_declared_ones_their_mapping(folder: Path) -> None:
    found = _inspected(folder)
    proposal = found["2026/halls [new].csv"]["tables"][0]["proposal"]
    means = {field["field"]: field["property"] for field in proposal["fields"]}
    assert means["ชื่อสถานที่"] == "name"
    assert means["เบอร์ติดต่อ"] == "telephone"
    cards = found["cards.dat"]["tables"][0]
    assert (cards["mapping"], cards["declared"]["name"], cards["proposal"]) == ("contact-cards", "name", None)


def test_no_value_of_the_file_is_shown(folder: Path) -> None:
    done = CliRunner().invoke(app, ["inspect", str(folder)], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    assert "halls [new].csv" in done.output
    assert "081-555-0199" not in done.output
    assert "โถงริมอ่าว" not in done.output


def test_the_drawing_names_files_as_they_are_called(folder: Path) -> None:
    done = CliRunner().invoke(app, ["inspect", str(folder)], env={"COLUMNS": "200"})
    assert "halls [new].csv" in done.output
    assert "refused: path-traversal" in done.output


def test_nothing_is_stored(folder: Path) -> None:
    _inspected(folder)
    assert [path.name for path in folder.parent.iterdir()] == ["sent"]


def test_a_path_that_is_not_there_is_wrong_input(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["inspect", str(tmp_path / "nowhere")])
    assert isinstance(done.exception, InputError)
    assert exit_code(done.exception) is ExitCode.BAD_INPUT
    assert done.exception.where == str(tmp_path / "nowhere")
