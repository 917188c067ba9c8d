"""Where and what was measured: the machine, and a digest of the code."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
from pathlib import Path
from typing import Any

from benchmarks.measured import ROOT

_CODE = ("tenant_pipeline", "benchmarks")
_ENDINGS = {".py", ".sql", ".json", ".lock"}
_MODEL = re.compile(r"^model name\s*: (.+)$", re.MULTILINE)


def machine() -> dict[str, Any]:
    """What the figures depend on; the load says whether anything else was running."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": _processor(),
        "processors": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    """What the kernel calls it; where it has no such name, the architecture."""
    told = Path("/proc/cpuinfo")
    found = _MODEL.search(told.read_text(encoding="utf-8")) if told.exists() else None
    return found[1] if found else platform.machine()


def code() -> str:
    """A digest of every file that could change a figure: 16 hexadecimal digits."""
    digest = hashlib.sha256((ROOT / "requirements.lock").read_bytes())
    for folder in _CODE:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in _ENDINGS and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(ROOT)}:{path.stat().st_size}:".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def print_found(**found: Any) -> None:
    """Print what a benchmark has found as one JSON, which begins with the machine and the code."""
    print(json.dumps({"machine": machine(), "code": code(), **found}, indent=1, ensure_ascii=False))
