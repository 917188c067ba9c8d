"""Benchmarks: each is one command and prints JSON."""
