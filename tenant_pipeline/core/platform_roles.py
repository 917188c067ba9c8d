"""The roles of those who answer for the installation: the one place that names them, in the order of escalation."""

PLATFORM_ROLES = ("platform-governance", "founder")
"""No tenant's own people give them. Whatever only these may, or these beside the tenant's own, is said by it."""
