"""Every command that an operator is told to run is there, with the options that it is told to have."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from tenant_pipeline.cli.main import app

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "operate").rglob("*.md"))]
BLOCK = re.compile(r"```(?:sh|console|bash)\n(.*?)```", re.DOTALL)
INLINE = re.compile(r"`(tenant-pipeline [^`]+)`")
OURS = re.compile(r"(?:^|[\s(=])(?:tenant-pipeline|tp) (.+)")
NO_CONTEXT: Any = None
RUNBOOKS = ROOT / "docs" / "operate" / "runbooks"


def _commands(page: Path) -> Iterator[str]:
    text = page.read_text()
    for block in BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            said = line.partition("  #")[0].partition(" # ")[0]
            for part in re.split(r"&&|;|\|(?=\s*(?:tenant-pipeline|tp)\b)", said):
                if found := OURS.search(part):
                    yield found[1].strip().rstrip(")&").strip()
    for inline in INLINE.findall(text):
        yield inline.removeprefix("tenant-pipeline ")


def _alternatives(command: str) -> Iterator[list[str]]:
    """The words of a command; `pause | resume | end` are three commands."""
    head, *rest = re.split(r"\s\|\s", command)
    words = shlex.split(head, comments=True)
    yield words
    for each in rest:
        other = shlex.split(each, comments=True)
        if other and re.fullmatch(r"[a-z-]+", other[0]) and len(words) >= 2:
            yield [*words[: len(words) - 1], *other]


def _check(words: list[str], said: str) -> None:
    command: Any = typer.main.get_command(app)
    path: list[str] = []
    while isinstance(command, TyperGroup) and words and not words[0].startswith("-"):
        found = command.get_command(NO_CONTEXT, words[0])
        assert found is not None or words[0][0] in "…." or _takes_words(command), f"there is no `{said}`"
        if found is None:
            break
        command, path, words = found, [*path, words[0]], words[1:]
    assert path, f"there is no `{said}`"
    options = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    given = {word.partition("=")[0] for word in words if re.match(r"-{1,2}[a-z]", word)}
    unknown = given - options - {"--help"}
    assert not unknown, f"{said}: {' '.join(path)} has no {unknown}"


def _takes_words(group: Any) -> bool:
    """Whether a group does something itself with words that name none of its commands."""
    return bool(group.invoke_without_command)


def _ids(value: Any) -> str:
    return str(value.relative_to(ROOT)) if isinstance(value, Path) else str(value)


@pytest.mark.parametrize("page", PAGES, ids=_ids)
def test_a_command_of_a_page_is_there(page: Path) -> None:
    for said in _commands(page):
        for words in _alternatives(said):
            _check(words, said)


def test_a_command_that_is_not_there_is_found() -> None:
    for said in ("feed list --no-such-option", "feed no-such-command", "no-such-command"):
        with pytest.raises(AssertionError):
            _check(said.split(), said)


def test_a_run_by_hand_in_a_cluster_is_made_where_there_is_memory_for_it() -> None:
    said = (RUNBOOKS / "README.md").read_text()
    assert "deploy/dagster-dagster-user-deployments-tenant-pipeline -- tenant-pipeline run " in said
    assert "deploy/tenant-runtime-api -- tenant-pipeline run" not in said
    assert "in the pod of the code server" in (RUNBOOKS / "disk-full.md").read_text()


def test_each_runbook_says_the_five_things() -> None:
    pages = sorted(path for path in RUNBOOKS.glob("*.md") if path.name != "README.md")
    assert len(pages) >= 10
    for page in pages:
        text = page.read_text()
        for heading in ("You see", "It means", "Look first", "Do", "It is over when"):
            assert f"\n## {heading}\n" in text, f"{page.name}: {heading}"
        assert list(_commands(page)), page.name
        assert f"({page.name})" in (RUNBOOKS / "README.md").read_text(), page.name
