"""What a mixing engineer decides: stems as heard in, settings of a mix out, each with its reason. Pure functions."""

MIX_VERSION = 1
"""Raise this with every change of a decision: mixes of an earlier version are made again."""
