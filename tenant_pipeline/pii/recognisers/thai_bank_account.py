"""Thai bank accounts: ten digits written 123-4-56789-0; without dashes (or with twelve) only near a telling word."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenant_pipeline.pii.recognisers.folded import END, END_OF_A_CODE, START, Candidate, FoldedRecogniser

_DASHED = re.compile(START + r"(?<![0-9]-)[0-9]{3}[ -][0-9][ -][0-9]{5}[ -][0-9]" + END)
_PLAIN = re.compile(START + r"(?<![0-9]-)(?:[0-9]{10}|[0-9]{12}|[0-9]{3}-[0-9]{6}-[0-9])" + END_OF_A_CODE)


class ThaiBankAccountRecogniser(FoldedRecogniser):
    """An account in its usual groups."""

    entity = "TH_BANK_ACCOUNT"
    prefilter = r"[0-9]{3}[ -][0-9][ -][0-9]{5}[ -][0-9]"

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Numbers in groups of 3-1-5-1."""
        for match in _DASHED.finditer(folded):
            yield Candidate(match.start(), match.end(), 0.65)


class AnnouncedBankAccountRecogniser(FoldedRecogniser):
    """Ten or twelve digits near a word such as บัญชี or a bank's name."""

    entity = "TH_BANK_ACCOUNT"
    prefilter = r"[0-9]{10}|[0-9]{3}-[0-9]{6}-[0-9]"
    context_words = (
        "เลขที่บัญชี", "เลขบัญชี", "บัญชี", "ธนาคาร", "พร้อมเพย์", "กสิกร", "ไทยพาณิชย์", "กรุงไทย", "กรุงเทพ ออมทรัพย์",
        "ออมสิน", "ธกส", "โอนเงิน", "bank account", "account no", "account number", "acct", "bank", "scb", "kbank", "ktb",
        "promptpay", "银行账号", "账号", "银行账户", "开户",
    )  # fmt: skip
    needs_context = True

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Digits of an account's size."""
        for match in _PLAIN.finditer(folded):
            yield Candidate(match.start(), match.end(), 0.2)
