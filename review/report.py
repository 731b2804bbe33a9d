"""Writes the QC report of an output: `report/index.html` and what it loads when a track is looked at."""

from __future__ import annotations


def write_report(output: str) -> str:
    """Writes the report of everything that runs left in an output; returns where it is."""
    raise NotImplementedError(output)
