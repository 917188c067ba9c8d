"""Contracts of others than the package's."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tenant_pipeline.contracts
from tenant_pipeline.contracts.loader import CONTRACTS

Edit = Callable[[str, Callable[[Any], None]], Path]


@pytest.fixture
def edited(tmp_path: Path) -> Edit:
    """A copy of the contracts with one of them changed."""
    packaged = Path(tenant_pipeline.contracts.__file__).parent

    def edit(name: str, change: Callable[[Any], None]) -> Path:
        for contract in CONTRACTS:
            shutil.copy(packaged / f"{contract}.json", tmp_path)
        file = tmp_path / f"{name}.json"
        document = json.loads(file.read_text())
        change(document)
        file.write_text(json.dumps(document))
        return tmp_path

    return edit
