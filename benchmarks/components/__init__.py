"""Single parts of the pipeline, each measured alone beside a floor or a peer: `python -m benchmarks.components`."""
