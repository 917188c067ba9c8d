"""Parsers in a process of their own: what a hostile file can harm is that process only."""
