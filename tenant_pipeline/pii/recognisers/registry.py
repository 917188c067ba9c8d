"""The one list of recognisers. To add one: a file beside this, a class, and a line here."""

from __future__ import annotations

from presidio_analyzer.recognizer_registry import RecognizerRegistry

from tenant_pipeline.pii.nlp_engine import LANGUAGES
from tenant_pipeline.pii.recognisers.chinese_mobile import ChineseMobileRecogniser
from tenant_pipeline.pii.recognisers.chinese_resident_id import ChineseResidentIdRecogniser
from tenant_pipeline.pii.recognisers.chinese_titled_person import ChineseTitledPersonRecogniser
from tenant_pipeline.pii.recognisers.credit_card import AnnouncedCardRecogniser, CreditCardRecogniser
from tenant_pipeline.pii.recognisers.email import EmailRecogniser
from tenant_pipeline.pii.recognisers.folded import FoldedRecogniser
from tenant_pipeline.pii.recognisers.iban import IbanRecogniser
from tenant_pipeline.pii.recognisers.international_phone import (
    AmericanPhoneRecogniser,
    AnnouncedPhoneRecogniser,
    LinkedPhoneRecogniser,
    PlusPhoneRecogniser,
)
from tenant_pipeline.pii.recognisers.latin_titled_person import LatinTitledPersonRecogniser
from tenant_pipeline.pii.recognisers.line_id import LineIdFieldRecogniser, LineIdRecogniser
from tenant_pipeline.pii.recognisers.network_address import IpAddressRecogniser, MacAddressRecogniser
from tenant_pipeline.pii.recognisers.passport import PassportRecogniser
from tenant_pipeline.pii.recognisers.person_field import PersonFieldRecogniser
from tenant_pipeline.pii.recognisers.source_token import SourceTokenRecogniser
from tenant_pipeline.pii.recognisers.thai_bank_account import AnnouncedBankAccountRecogniser, ThaiBankAccountRecogniser
from tenant_pipeline.pii.recognisers.thai_national_id import ThaiNationalIdRecogniser
from tenant_pipeline.pii.recognisers.thai_phone import ThaiPhoneRecogniser
from tenant_pipeline.pii.recognisers.thai_titled_person import ThaiTitledPersonRecogniser

RECOGNISERS: tuple[type[FoldedRecogniser], ...] = (
    ThaiNationalIdRecogniser,
    ChineseResidentIdRecogniser,
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
    LinkedPhoneRecogniser,
    AnnouncedPhoneRecogniser,
    LineIdRecogniser,
    LineIdFieldRecogniser,
    IpAddressRecogniser,
    MacAddressRecogniser,
    PersonFieldRecogniser,
    ThaiTitledPersonRecogniser,
    LatinTitledPersonRecogniser,
    ChineseTitledPersonRecogniser,
    SourceTokenRecogniser,
)

STRUCTURAL_ENTITIES = frozenset(recogniser.entity for recogniser in RECOGNISERS) - {"PERSON"}
"""Types that have a form of their own; a name is known only by what stands around it."""


def build_registry() -> RecognizerRegistry:
    """Presidio's registry with every recogniser in every language: a Thai cell may hold a Chinese number."""
    recognisers = [recogniser(language) for language in LANGUAGES for recogniser in RECOGNISERS]
    return RecognizerRegistry(recognizers=recognisers, supported_languages=list(LANGUAGES))
