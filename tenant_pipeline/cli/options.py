"""The options that many commands have."""

from __future__ import annotations

from typing import Annotated

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
LanguageOption = Annotated[str, typer.Option("--language", help="The language of the sentences: en, th or zh.")]
TenantOption = Annotated[str, typer.Option("--tenant", help="The tenant's id.")]
PersonOption = Annotated[str, typer.Option("--person", help="Who answers for it.")]
RoleOption = Annotated[str, typer.Option("--role", help="In which role.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why.")]
