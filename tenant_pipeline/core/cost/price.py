"""Prices, and what a usage comes to. Money is decimal, and rounded once, at the end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from tenant_pipeline.core.errors import SettingsError

CENT = Decimal("0.01")
_HOUR, _GIBIBYTE, _MILLION = Decimal(3600), Decimal(1024**3), Decimal(1_000_000)


@dataclass(frozen=True)
class Usage:
    """What was measured of a tenant in a month.

    Seconds that stages ran, bytes that its objects take now, rows that the stages read, and hours for which an
    instance was provisioned.
    """

    run_seconds: float
    stored_bytes: int
    rows: int
    instance_hours: float


@dataclass(frozen=True)
class Prices:
    """The price of each unit in one currency."""

    currency: str
    run_hour: Decimal
    gibibyte_month: Decimal
    million_rows: Decimal
    instance_hour: Decimal


@dataclass(frozen=True)
class CostLine:
    """One line of a cost: how much of what, at which price, and what that comes to."""

    item: str
    quantity: Decimal
    unit: str
    price: Decimal
    amount: Decimal


def lines_of(usage: Usage, prices: Prices) -> list[CostLine]:
    """The lines that a usage comes to, not rounded."""
    quantities = (
        ("runs", Decimal(str(usage.run_seconds)) / _HOUR, "hours", prices.run_hour),
        ("storage", Decimal(usage.stored_bytes) / _GIBIBYTE, "GiB", prices.gibibyte_month),
        ("rows", Decimal(usage.rows) / _MILLION, "million rows", prices.million_rows),
        ("instance", Decimal(str(usage.instance_hours)), "hours", prices.instance_hour),
    )
    return [CostLine(item, quantity, unit, price, quantity * price) for item, quantity, unit, price in quantities]


def total_of(lines: list[CostLine]) -> Decimal:
    """What they come to, to the hundredth of the currency."""
    return sum((line.amount for line in lines), Decimal(0)).quantize(CENT, ROUND_HALF_UP)


def prices_from(text: str, where: str) -> Prices:
    """A price table from its JSON. Raises SettingsError naming what is missing or wrong."""
    try:
        given: Mapping[str, Any] = json.loads(text, parse_float=Decimal, parse_int=Decimal)
        wanted = {field.name for field in fields(Prices)}
        if set(given) != wanted:
            raise ValueError
        prices = Prices(given["currency"], *(Decimal(given[name]) for name in list(_NAMES)))
    except (ValueError, TypeError, KeyError, InvalidOperation):
        raise SettingsError(
            "The price table cannot be read",
            where=where,
            remedy=f"A JSON object with currency, {', '.join(_NAMES)}, and nothing else.",
        ) from None
    if not prices.currency or any(
        not getattr(prices, name).is_finite() or getattr(prices, name) < 0 for name in _NAMES
    ):
        raise SettingsError("A price is below nothing, or there is no currency", where=where)
    return prices


_NAMES = ("run_hour", "gibibyte_month", "million_rows", "instance_hour")
