"""On what a tenant may rest its processing, as Thailand's Personal Data Protection Act B.E. 2562 (2019) lists it."""

from __future__ import annotations

from enum import StrEnum


class LawfulBasis(StrEnum):
    """The bases of section 24, with consent under section 19."""

    CONSENT = "consent"
    RESEARCH = "research"
    VITAL_INTEREST = "vital-interest"
    CONTRACT = "contract"
    PUBLIC_TASK = "public-task"
    LEGITIMATE_INTEREST = "legitimate-interest"
    LEGAL_OBLIGATION = "legal-obligation"


class SpecialCategoryBasis(StrEnum):
    """The bases of section 26, for what its first paragraph lists."""

    EXPLICIT_CONSENT = "explicit-consent"
    VITAL_INTEREST = "vital-interest"
    NON_PROFIT_BODY = "non-profit-body"
    MADE_PUBLIC = "made-public"
    LEGAL_CLAIM = "legal-claim"
    MEDICINE = "medicine"
    PUBLIC_HEALTH = "public-health"
    SOCIAL_PROTECTION = "social-protection"
    RESEARCH = "research"
    SUBSTANTIAL_PUBLIC_INTEREST = "substantial-public-interest"


class TransferSafeguard(StrEnum):
    """What lets personal data leave the country: the cases of section 28 and the safeguards of section 29."""

    ADEQUATE_DESTINATION = "adequate-destination"
    LEGAL_OBLIGATION = "legal-obligation"
    INFORMED_CONSENT = "informed-consent"
    CONTRACT = "contract"
    VITAL_INTEREST = "vital-interest"
    SUBSTANTIAL_PUBLIC_INTEREST = "substantial-public-interest"
    BINDING_CORPORATE_RULES = "binding-corporate-rules"
    APPROPRIATE_SAFEGUARDS = "appropriate-safeguards"


SECTIONS = {
    LawfulBasis.CONSENT: "s.19",
    LawfulBasis.RESEARCH: "s.24(1)",
    LawfulBasis.VITAL_INTEREST: "s.24(2)",
    LawfulBasis.CONTRACT: "s.24(3)",
    LawfulBasis.PUBLIC_TASK: "s.24(4)",
    LawfulBasis.LEGITIMATE_INTEREST: "s.24(5)",
    LawfulBasis.LEGAL_OBLIGATION: "s.24(6)",
}
"""Where each basis stands in the Act."""
