"""Whether the value that the rules propose is the right one, where sources say different things."""

from tenant_pipeline.evaluation.conflicts.evaluate import evaluate

__all__ = ["evaluate"]
