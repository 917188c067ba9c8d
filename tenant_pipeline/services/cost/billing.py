"""A tenant's cost of a month, by the operator's price table."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from typing import Any

from tenant_pipeline.core.cost.month import Month
from tenant_pipeline.core.cost.price import CostLine, Prices, Usage, lines_of, prices_from, total_of
from tenant_pipeline.core.errors import SettingsError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.cost.measuring import usage_of
from tenant_pipeline.services.runtime import Runtime


@dataclass(frozen=True)
class Cost:
    """What a tenant has cost in a month, so far where the month is not over."""

    tenant: TenantId
    month: Month
    usage: Usage
    lines: tuple[CostLine, ...]
    total: Decimal
    currency: str

    def as_json(self) -> dict[str, Any]:
        """The cost as the command line and the API give it."""
        return {
            "tenant": self.tenant,
            "month": str(self.month),
            "measured": vars(self.usage),
            "lines": [
                {
                    "item": line.item,
                    "quantity": f"{line.quantity:.6f}",
                    "unit": line.unit,
                    "price": str(line.price),
                    "amount": f"{line.amount:.4f}",
                }
                for line in self.lines
            ],
            "total": str(self.total),
            "currency": self.currency,
        }


def prices(runtime: Runtime) -> Prices:
    """The price table that the settings name, else the shipped example. Raises SettingsError."""
    path = runtime.settings.price_table
    if path is None:
        example = files("tenant_pipeline.services.cost").joinpath("example_prices.json")
        return prices_from(example.read_text(encoding="utf-8"), "example_prices.json")
    try:
        return prices_from(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"The price table cannot be read ({type(error).__name__})",
            where=str(path),
            remedy="Check TENANT_RUNTIME_PRICE_TABLE, a file in UTF-8.",
        ) from None


def cost_of(runtime: Runtime, tenant: TenantId, month: Month) -> Cost:
    """What the tenant has cost in the month. Raises NotFoundError, SettingsError."""
    table, usage = prices(runtime), usage_of(runtime, tenant, month)
    lines = lines_of(usage, table)
    return Cost(tenant, month, usage, tuple(lines), total_of(lines), table.currency)
