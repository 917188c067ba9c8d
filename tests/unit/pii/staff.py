"""Persons after whom sheets, fields, files and keys are called: enough of them to be told from places."""

from __future__ import annotations

STAFF = [
    "สมชาย ใจดี", "พิมพ์มาดา สุขใจ", "ก้องภพ ทองสุข", "อรัญญา มณีโชติ", "มาลี ศรีสุข", "John Carter", "Mary Weiss",
    "SARAH TAYLOR", "陈静", "王芳", "李伟", "Xyzzy Plugh",
]  # fmt: skip
