"""The workspace's files: every word in three languages, and what was vendored as it was built."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from tenant_pipeline import workspace


def test_every_word_is_there_in_three_languages_and_every_key_has_its_words() -> None:
    folder = Path(workspace.__file__).parent
    words = (folder / "words.js").read_text()
    entries = re.findall(r'^  "?([\w-]+)"?: \[(.*)\],$', words, re.MULTILINE)
    assert len(entries) > 100
    for key, line in entries:
        said = json.loads(f"[{line}]")
        assert len(said) == 3, key
        assert all(text.strip() for text in said), key
    known = {key for key, _ in entries}
    for script in [*folder.glob("*.js"), *folder.glob("panels/*.js"), *folder.glob("parts/*.js")]:
        for key in re.findall(r'\bt\("(\w+)"', script.read_text()):
            assert key in known, (script.name, key)


def test_what_was_vendored_is_what_was_built() -> None:
    folder = Path(workspace.__file__).parent / "vendor"
    listed = dict(line.split("  ")[::-1] for line in (folder / "SHA256SUMS").read_text().splitlines())
    there = {f"./{path.relative_to(folder).as_posix()}" for path in folder.rglob("*") if path.is_file()}
    assert there - {"./SHA256SUMS"} == set(listed)
    for name, digest in listed.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
