"""Dagster assets: the nine stages, the conflict matrix and the coverage score, a partition a source.

Thin: an asset names its partitions, calls one service and attaches what governance wants to see.
"""
