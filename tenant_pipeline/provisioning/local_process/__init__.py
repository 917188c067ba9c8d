"""Instances as supervised processes of this machine: the backend that needs nothing but Python."""
