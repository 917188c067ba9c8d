"""Dagster's daemon, with its own arguments: `python -m tenant_pipeline.cli.dagster_daemon`."""

from __future__ import annotations

from tenant_pipeline.core.garbage import loading_code

with loading_code():
    from dagster._daemon.cli import main

if __name__ == "__main__":
    main()
