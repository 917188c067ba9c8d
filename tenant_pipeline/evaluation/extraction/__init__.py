"""Whether what a file holds is what is read from it: records and their fields, held against what should come out."""

from tenant_pipeline.evaluation.extraction.evaluate import evaluate

__all__ = ["evaluate"]
