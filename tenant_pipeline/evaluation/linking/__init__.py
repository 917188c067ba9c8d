"""How right linking is: every data set below a folder linked and counted, beside Splink and rapidfuzz."""

from tenant_pipeline.evaluation.linking.evaluate import evaluate

__all__ = ["evaluate"]
