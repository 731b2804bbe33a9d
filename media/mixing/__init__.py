"""Stems as files: heard once each, rendered together in one pass, block by block."""
