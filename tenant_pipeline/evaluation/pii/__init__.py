"""How right the recognition of personal data is: `evaluate(data)`."""

from __future__ import annotations

from tenant_pipeline.evaluation.pii.evaluation import evaluate

__all__ = ["evaluate"]
