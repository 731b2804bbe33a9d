"""Compilation of the inner loops: one decorator, so that every kernel obeys the same rules.

Kernels release the GIL, are cached on disk between processes, and keep strict floating-point order (no fastmath), because
the same input must give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

STILL = 1e-30
"""-600 dB: what a filter or a level has faded to below this is nothing; left to itself it would become denormal, and slow."""

F = TypeVar("F", bound=Callable[..., object])


def kernel(function: F) -> F:
    """Compiles a loop over scalars and arrays with numba; `function.py_func` stays the plain Python."""
    try:
        return cast(F, njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:  # no folder for the cache can be written: compile in every process
        return cast(F, njit(nogil=True, error_model="numpy")(function))
