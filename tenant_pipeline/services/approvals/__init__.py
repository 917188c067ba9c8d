"""Approval requests and decisions: asked for, given, taken back, escalated, and used once."""
