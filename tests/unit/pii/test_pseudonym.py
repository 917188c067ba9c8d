"""Tokens are equal for equal values of one tenant, differ between tenants, and cannot be recomputed without the key."""

from __future__ import annotations

import hashlib

import pytest

from tenant_pipeline.core.keys import DigestKey
from tenant_pipeline.core.pseudonym import is_token, mask, pseudonym, without_replacements
from tenant_pipeline.pii.canonical import canonical_value
from tests.unit.pii.memory_stage import digest_key

KEY = digest_key()


def token(entity_type: str, text: str, key: DigestKey = KEY) -> str:
    return pseudonym(entity_type, canonical_value(entity_type, text), key)


@pytest.mark.parametrize(
    ("entity_type", "spellings"),
    [
        ("PHONE_NUMBER", ["0812345678", "081-234-5678", "+66 81 234 5678", "๐๘๑ ๒๓๔ ๕๖๗๘", "66812345678"]),
        ("PHONE_NUMBER", ["13800138000", "+86 138 0013 8000", "138-0013-8000", "13800138000.0"]),
        ("EMAIL_ADDRESS", ["Somchai@Example.COM", "somchai@example.com", "ｓomchai@example.com"]),
        ("TH_NATIONAL_ID", ["3-1006-00445-63-5", "3100600445635", "๓๑๐๐๖๐๐๔๔๕๖๓๕", "3100600445635.0"]),
        ("PERSON", ["สมชาย  ใจดี", "นายสมชาย ใจดี", "คุณสมชาย ใจดี", "สมชาย\u200b ใจดี "]),
        ("PERSON", ["Somchai Jaidee", "SOMCHAI JAIDEE", "Mr. Somchai Jaidee"]),
        ("DRIVING_LICENCE", ["54001234", "54001234.0"]),
        ("DRIVING_LICENCE", ["540012", "540012.0"]),
        ("PHONE_NUMBER", ["081.234.0000", "0812340000"]),
        ("LINE_ID", ["@Somchai", "somchai"]),
        ("IBAN_CODE", ["GB82 WEST 1234 5698 7654 32", "gb82west12345698765432"]),
        ("IP_ADDRESS", ["2001:0db8::0001", "2001:db8::1"]),
    ],
)
def test_a_value_has_one_token_however_it_is_written(entity_type: str, spellings: list[str]) -> None:
    assert len({token(entity_type, spelling) for spelling in spellings}) == 1


def test_two_tenants_have_different_tokens_for_the_same_value() -> None:
    other = digest_key(key_id="k1", secret=b"1" * 32)
    assert token("PHONE_NUMBER", "0812345678") != token("PHONE_NUMBER", "0812345678", other)


def test_two_types_have_different_tokens_for_the_same_text() -> None:
    assert token("PERSON", "1234567890")[-33:] != token("TH_BANK_ACCOUNT", "1234567890")[-33:]


def test_a_token_is_no_plain_digest_that_could_be_enumerated() -> None:
    digest = token("PHONE_NUMBER", "0812345678")[-33:-1]
    for text in ("0812345678", "+66812345678", "PHONE_NUMBER\0+66812345678", "PHONE_NUMBER+66812345678"):
        assert digest not in hashlib.sha256(text.encode()).hexdigest()


def test_only_a_whole_token_is_opaque() -> None:
    good = token("PHONE_NUMBER", "0812345678")
    assert good.startswith("⟦PHONE_NUMBER:k1:")
    assert is_token(good)
    assert not is_token(f"{good} ")
    assert not is_token(mask("PERSON"))
    assert not is_token("⟦PHONE_NUMBER:k1:xyz⟧")
    assert without_replacements(f"a{good}b{mask('PERSON')}c", "|") == "a|b|c"
