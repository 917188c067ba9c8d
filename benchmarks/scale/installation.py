"""An installation in a folder of its own, tenants to fill it with, and small sources that are alike, not the same."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.registry import register_tenant
from tenant_pipeline.services.runtime import Runtime, open_runtime
from tenant_pipeline.services.sources import Source, add_source
from tenant_pipeline.settings import Settings

ROWS = 20
"""Rows of a small source: a partner's list of halls."""
SHARED_ROWS = 2
SHARED_BY = 10
"""So many rows are halls that so many sources in a row name as well, each with a capacity of its own."""
_SYLLABLES = [
    onset + rest for onset in ("b", "ch", "d", "k", "m", "ph", "r", "s", "t", "w") for rest in ("a", "in", "ong")
]


@contextmanager
def installation() -> Iterator[Runtime]:
    """A fresh installation with a database of its own, gone after the block."""
    with new_home() as home, open_runtime(Settings(home=home)) as runtime:
        yield runtime


@contextmanager
def new_home() -> Iterator[Path]:
    """A folder for a home, which the database server's own uid can enter; gone after the block."""
    with tempfile.TemporaryDirectory(prefix="scale-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "home"


def register(runtime: Runtime, tenant: TenantId) -> None:
    """Register a tenant with the agreement that personal data needs."""
    names = {"th": "ทดสอบ", "en": "Scale", "zh": "测试"}
    register_tenant(
        runtime, tenant, name=names, domain="scale.example", tier="pilot", actor="benchmark", pdpa_agreement_ref="DPA-1"
    )


def add_halls(runtime: Runtime, tenant: TenantId, number: int, folder: Path) -> Source:
    """Hand in the small source of that number, as a person does: a file with a title."""
    path = folder / f"{number}.csv"
    path.write_text(halls(number), encoding="utf-8")
    return add_source(
        runtime, tenant, origin=Origin("partner-doc"), unit_mode=UnitMode.SINGLE_FILE, places=[str(path)],
        title=f"Halls {number}", actor="benchmark",
    )  # fmt: skip


def halls(number: int) -> str:
    """The file of a small source: halls in two languages with capacity, telephone and place; a few are shared."""
    chance = random.Random(number)
    lines = ["name_en,name_th,capacity,telephone,latitude,longitude"]
    for row in range(ROWS):
        shared = row < SHARED_ROWS
        own = random.Random(f"shared {number // SHARED_BY} {row}") if shared else chance
        word = "".join(own.choice(_SYLLABLES) for _ in range(4)).capitalize()
        lines.append(
            f"{word} Hall,โถง {word},{chance.randrange(50, 5000)},+6676{own.randrange(100000, 999999)},"
            f"{own.uniform(7.7, 8.2):.6f},{own.uniform(98.2, 98.5):.6f}"
        )
    return "\n".join(lines) + "\n"
