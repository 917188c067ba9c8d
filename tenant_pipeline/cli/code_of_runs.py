"""What a run over sources loads, its code location and more, for the process that runs are forked from.

The analyser is built here only where no file configures it: every run reads that file anew.
"""

from __future__ import annotations

from tenant_pipeline.core.garbage import loading_code

with loading_code():
    import pandera.pandas  # noqa: F401

    import tenant_pipeline.definitions
    import tenant_pipeline.pii.analyzer
    import tenant_pipeline.pii.screen  # noqa: F401
    from tenant_pipeline.services.pii_analyzer import analyzer
    from tenant_pipeline.settings import Settings

    if Settings().pii_configuration is None:
        analyzer()
