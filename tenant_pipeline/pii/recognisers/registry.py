"""The one list of recognisers. To add one: a file beside this, a class, and a line here."""

from __future__ import annotations

from presidio_analyzer.recognizer_registry import RecognizerRegistry

from tenant_pipeline.pii.nlp_engine import LANGUAGES
from tenant_pipeline.pii.recognisers.chinese_mobile import ChineseMobileRecogniser
from tenant_pipeline.pii.recognisers.chinese_person import ChinesePersonRecogniser
from tenant_pipeline.pii.recognisers.chinese_resident_id import (
    ChineseResidentIdRecogniser,
    OldChineseResidentIdRecogniser,
)
from tenant_pipeline.pii.recognisers.credit_card import AnnouncedCardRecogniser, CreditCardRecogniser
from tenant_pipeline.pii.recognisers.driving_licence import DrivingLicenceRecogniser
from tenant_pipeline.pii.recognisers.email import EmailRecogniser
from tenant_pipeline.pii.recognisers.folded import FoldedRecogniser
from tenant_pipeline.pii.recognisers.iban import IbanRecogniser
from tenant_pipeline.pii.recognisers.international_phone import (
    AmericanPhoneRecogniser,
    AnnouncedPhoneRecogniser,
    LinkedPhoneRecogniser,
    PlusPhoneRecogniser,
)
from tenant_pipeline.pii.recognisers.latin_person import LatinPersonRecogniser
from tenant_pipeline.pii.recognisers.latin_titled_person import LatinTitledPersonRecogniser
from tenant_pipeline.pii.recognisers.line_id import LineIdFieldRecogniser, LineIdRecogniser
from tenant_pipeline.pii.recognisers.national_phone import MentionedPhoneRecogniser, NationalPhoneRecogniser
from tenant_pipeline.pii.recognisers.network_address import IpAddressRecogniser, MacAddressRecogniser
from tenant_pipeline.pii.recognisers.passport import PassportRecogniser
from tenant_pipeline.pii.recognisers.person_field import OrganiserFieldRecogniser, PersonFieldRecogniser
from tenant_pipeline.pii.recognisers.source_token import SourceTokenRecogniser
from tenant_pipeline.pii.recognisers.thai_bank_account import AnnouncedBankAccountRecogniser, ThaiBankAccountRecogniser
from tenant_pipeline.pii.recognisers.thai_national_id import ThaiNationalIdRecogniser
from tenant_pipeline.pii.recognisers.thai_person import ThaiPersonRecogniser
from tenant_pipeline.pii.recognisers.thai_phone import ThaiPhoneRecogniser
from tenant_pipeline.pii.recognisers.thai_tax_id import ThaiTaxIdRecogniser
from tenant_pipeline.pii.recognisers.us_social_security import SocialSecurityRecogniser
from tenant_pipeline.pii.recognisers.vehicle_plate import VehiclePlateRecogniser

RECOGNISERS: tuple[type[FoldedRecogniser], ...] = (
    ThaiNationalIdRecogniser,
    ThaiTaxIdRecogniser,
    ChineseResidentIdRecogniser,
    OldChineseResidentIdRecogniser,
    SocialSecurityRecogniser,
    DrivingLicenceRecogniser,
    VehiclePlateRecogniser,
    PassportRecogniser,
    CreditCardRecogniser,
    AnnouncedCardRecogniser,
    IbanRecogniser,
    ThaiBankAccountRecogniser,
    AnnouncedBankAccountRecogniser,
    EmailRecogniser,
    ThaiPhoneRecogniser,
    PlusPhoneRecogniser,
    ChineseMobileRecogniser,
    AmericanPhoneRecogniser,
    NationalPhoneRecogniser,
    MentionedPhoneRecogniser,
    LinkedPhoneRecogniser,
    AnnouncedPhoneRecogniser,
    LineIdRecogniser,
    LineIdFieldRecogniser,
    IpAddressRecogniser,
    MacAddressRecogniser,
    PersonFieldRecogniser,
    OrganiserFieldRecogniser,
    ThaiPersonRecogniser,
    LatinTitledPersonRecogniser,
    LatinPersonRecogniser,
    ChinesePersonRecogniser,
    SourceTokenRecogniser,
)

STRUCTURAL_ENTITIES = frozenset(recogniser.entity for recogniser in RECOGNISERS) - {"PERSON"}
"""Types that have a form of their own; a name is known only by what stands around it."""

NOT_PERSONAL = frozenset({"TH_TAX_ID"})
"""Types that are told apart so that nobody takes them for a person's: a company's number is in the public register."""


def build_registry() -> RecognizerRegistry:
    """Presidio's registry with every recogniser in every language: a Thai cell may hold a Chinese number."""
    recognisers = [recogniser(language) for language in LANGUAGES for recogniser in RECOGNISERS]
    return RecognizerRegistry(recognizers=recognisers, supported_languages=list(LANGUAGES))
