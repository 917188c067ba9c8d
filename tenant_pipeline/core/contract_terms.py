"""Terms of the enterprise intake contract that rules in the core take as arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class CoverageDimension:
    """A dimension of the coverage score. Scores are 0–1; at `pass_at` and above it passes, at `warn_at` it warns.

    One that is not `overridable` counts as what it is, whoever would answer for it.
    """

    id: str
    formula: str
    weight: float
    pass_at: float
    warn_at: float
    blocking: bool
    overridable: bool = True


@dataclass(frozen=True)
class PiiFieldRule:
    """What becomes of personal data in fields named with one of `words`, or meaning one of `properties`.

    `action` holds for the `entity_types` found there, or for each whole value, which is then of the type `holds`.
    """

    id: str
    words: tuple[str, ...]
    properties: tuple[str, ...]
    entity_types: tuple[str, ...]
    holds: str
    action: str


@dataclass(frozen=True)
class PiiPolicy:
    """What becomes of each type of personal data (allow, hash, mask, drop, quarantine), and when the PII gate closes.

    `default_action` holds for types that `actions` does not name, `fields` come before both where they apply, and
    `special_category_action` holds for whole fields that PDPA section 26 protects. The gate fails when more than
    `quarantined_share_fail` (0–1) of the records are withheld, or when something is found, `requires_agreement` holds
    and the tenant has signed none.
    """

    actions: Mapping[str, str]
    default_action: str
    fields: tuple[PiiFieldRule, ...]
    special_category_action: str
    quarantined_share_fail: float
    requires_agreement: bool


@dataclass(frozen=True)
class QualityThresholds:
    """The share of failed statements (0–1) above which the quality gate warns, and above which it closes."""

    warn_share: float
    fail_share: float


@dataclass(frozen=True)
class ApprovalRule:
    """What an approval gate asks for: per need the roles of which one has to approve, each another person.

    `founder_at_first` adds the founder until the tenant has a founder's sign-off. `sla_hours` are hours of working
    days until a breach; after `expires_after_days` a request can no longer be approved or used.
    """

    needs: tuple[frozenset[str], ...]
    founder_at_first: bool
    sla_hours: int
    expires_after_days: int


@dataclass(frozen=True)
class ReviewGate:
    """An approval gate: who may decide, within how many hours, and whether two people must."""

    id: str
    roles: tuple[str, ...]
    sla_hours: int
    dual: bool
