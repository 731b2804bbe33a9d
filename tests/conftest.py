"""Fixtures of all tests: one seeded random generator, and quiet Hypothesis profiles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("lathe", deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lathe")


@pytest.fixture
def rng() -> np.random.Generator:
    """The same random numbers in every run."""
    return np.random.default_rng(2026)
