"""Titles before a name: they are no part of it, and stay where the name is replaced."""

from __future__ import annotations

import re

TITLE = re.compile(
    r"\s*(?:(?:นางสาว|นาย|นาง|น\.ส\.|ด\.ช\.|ด\.ญ\.|เด็กชาย|เด็กหญิง|คุณ|หม่อมราชวงศ์|หม่อมหลวง|ม\.ร\.ว\.|ม\.ล\.|(?:ผศ|รศ|ศ)\.\s*(?:ดร\.)?|ดร\."
    r"|(?i:mr|mrs|ms|miss|dr|prof|khun)(?:\.\s*|\s+))\s*)"
)
"""A title at the beginning of a text, with the space after it."""
