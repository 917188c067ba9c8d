"""The grounds on which the PDPA lets personal data be processed: a closed list for each of its two sections."""

from __future__ import annotations

from enum import StrEnum


class LawfulBasis(StrEnum):
    """Section 24 (and 19 for consent)."""

    CONSENT = "consent"
    ARCHIVES_OR_RESEARCH = "archives-or-research"
    VITAL_INTEREST = "vital-interest"
    CONTRACT = "contract"
    PUBLIC_TASK = "public-task"
    LEGITIMATE_INTEREST = "legitimate-interest"
    LEGAL_OBLIGATION = "legal-obligation"


class SpecialBasis(StrEnum):
    """Section 26: what special categories need beside a basis."""

    EXPLICIT_CONSENT = "explicit-consent"
    VITAL_INTEREST = "vital-interest"
    NON_PROFIT_BODY = "non-profit-body"
    MADE_PUBLIC = "made-public-by-the-person"
    LEGAL_CLAIMS = "legal-claims"
    LEGAL_OBLIGATION = "legal-obligation"


class Safeguard(StrEnum):
    """Sections 28 and 29: on what personal data may go abroad."""

    ADEQUATE_STANDARD = "adequate-standard"
    BINDING_CORPORATE_RULES = "binding-corporate-rules"
    STANDARD_CLAUSES = "standard-contractual-clauses"
    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal-obligation"
