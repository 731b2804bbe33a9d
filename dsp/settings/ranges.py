"""The check that all settings share: a value lies in its range, or is refused with both."""

from __future__ import annotations

import math


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Raises ValueError with the value and what is allowed; NaN is never allowed."""
    if not (math.isfinite(value) and low <= value <= high):
        raise ValueError(f"{name} must be in [{low:g}, {high:g}], got {value!r}")
