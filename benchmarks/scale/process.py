"""The process of one part: `python -m benchmarks.scale.process many_tenants '{"tenants": 10, "sources": 5}'`.

The last line that it prints is the result as JSON, with its seconds and the most memory that it held.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time


def main() -> None:
    """Measure and print."""
    module, size = sys.argv[1:]
    started = time.perf_counter()
    result = importlib.import_module(f"benchmarks.scale.{module}").measure(**json.loads(size))
    result["measured_in_seconds"] = round(time.perf_counter() - started, 1)
    result["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
