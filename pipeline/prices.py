"""The price table: what computing costs where, with its source and date; the user's own where one is given."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from decisions.toml_files import Shelf, located
from schemas.errors import CatalogueError

GB = 1e9
SHELF = Shelf("price table", Path(__file__).parent, "PRICES_UNREADABLE", "PRICES_UNREADABLE", "PRICES_INVALID")
Amount = Annotated[float, Meta(ge=0.0)]


class Price(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a place to compute at charges."""

    name: str
    per_core_hour: Amount
    source: str
    date: str
    memory_gb_per_core: Amount = 0.0
    per_gb_hour: Amount = 0.0
    per_gb_shuffled: Amount = 0.0


class PriceTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Prices in one currency."""

    currency: str
    price: Annotated[tuple[Price, ...], Meta(min_length=1)]


class Cost(Struct, frozen=True, kw_only=True):
    """What a run would cost in one place."""

    name: str
    amount: float
    currency: str
    source: str
    date: str


def load_prices(file: str | None) -> PriceTable:
    """The price table in a file, or the one that comes with Lathe; raises CatalogueError with what is wrong and where."""
    path, text = SHELF.read(file or "prices")
    try:
        return msgspec.convert(SHELF.parsed(path, text), PriceTable)
    except msgspec.ValidationError as error:
        raise CatalogueError("PRICES_INVALID", located(str(error), [(path, text)])) from error


def costs(table: PriceTable, core_s: float, shuffled_bytes: float) -> list[Cost]:
    """What so much work costs at each price."""
    hours, shuffled_gb = core_s / 3600.0, shuffled_bytes / GB
    return [
        Cost(
            name=one.name,
            amount=round(
                hours * (one.per_core_hour + one.memory_gb_per_core * one.per_gb_hour)
                + shuffled_gb * one.per_gb_shuffled,
                4,
            ),
            currency=table.currency,
            source=one.source,
            date=one.date,
        )
        for one in table.price
    ]
