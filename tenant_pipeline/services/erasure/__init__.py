"""Erasure: asked for by one person, done by another, step by step, and proven by looking again."""
