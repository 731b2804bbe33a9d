"""A small Beam pipeline on the runner that Lathe uses on one machine."""

from __future__ import annotations

from apache_beam.testing import test_pipeline

from transforms.coders import register_coders

RUNNER = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"


def graph() -> test_pipeline.TestPipeline:
    """Use as a context manager: it runs when the block ends."""
    register_coders()
    return test_pipeline.TestPipeline(runner=RUNNER)
