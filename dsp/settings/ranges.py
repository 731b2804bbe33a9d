"""The check that all settings share: a value lies in its range, or is refused with both."""

from __future__ import annotations

import math
from collections.abc import Sequence


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Raises ValueError with the value and what is allowed; NaN is never allowed."""
    if not (math.isfinite(value) and low <= value <= high):
        raise ValueError(f"{name} must be in [{low:g}, {high:g}], got {value!r}")


def check_ranges(name: str, values: Sequence[float], low: float, high: float) -> None:
    """The same for many values, looked at together: settings are made anew wherever a record is read."""
    # A NaN hides from min and max, never from a sum.
    if not values or (low <= min(values) and max(values) <= high and math.isfinite(sum(values))):
        return
    for value in values:
        check_range(name, value, low, high)
