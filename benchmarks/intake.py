"""Reading what people send, against the plain library that reads the same file: `make benchmark-intake`.

Prints JSON: for each format and size the rows a second of ours (identify and extract, in the sandbox: the file is
read twice), of our reader alone and of each peer, the ratio of ours to each peer, and the growth of memory of the
reader and of each peer. `python -m benchmarks.intake FORMAT...` does only those formats.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from benchmarks.intake_files import WRITERS
from benchmarks.machine import print_found
from benchmarks.measured import run_apart

SIZES = {
    "csv": (10_000, 100_000, 1_000_000),
    "xlsx": (10_000, 50_000, 200_000),
    "json": (10_000, 100_000, 500_000),
    "mediawiki": (1_000, 10_000, 50_000),
    "chatgpt": (10_000, 100_000, 300_000),
}
PEERS = {
    "csv": ("pandas_csv", "pyarrow_csv", "csv_module"),
    "xlsx": ("openpyxl_rows", "calamine_rows"),
    "json": ("json_load", "ijson_items"),
    "mediawiki": ("mwxml_listings",),
    "chatgpt": ("json_load", "ijson_messages"),
}


def main() -> None:
    """Measure and print."""
    formats = sys.argv[1:] or list(SIZES)
    console = Console(stderr=True)
    found = []
    with tempfile.TemporaryDirectory(prefix="intake-") as folder, Progress(console=console) as progress:
        steps = progress.add_task("Reading", total=sum(len(SIZES[each]) * (2 + len(PEERS[each])) for each in formats))
        for name in formats:
            file_name, write = WRITERS[name]
            for count in SIZES[name]:
                path = Path(folder, file_name)
                write(path, count)
                one: dict[str, Any] = {"format": name, "size": count, "bytes": path.stat().st_size}
                for what in ("ours", "reader_alone", *PEERS[name]):
                    measured = run_apart("benchmarks.intake_measures", what, str(path))
                    # json.load counts conversations where we count messages: the rows of the file are the same
                    one[what] = {
                        "rows_per_s": round(count / measured["seconds"]),
                        "grown_mib": measured["grown_mib"],
                    }
                    progress.advance(steps)
                one["ratio_to"] = {
                    peer: round(one["ours"]["rows_per_s"] / one[peer]["rows_per_s"], 3) for peer in PEERS[name]
                }
                found.append(one)
    print_found(formats=found)


if __name__ == "__main__":
    main()
