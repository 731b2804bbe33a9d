"""As many workers as there are cores, memory and work for; and what Dataflow is told of a worker's size."""

from __future__ import annotations

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import DirectOptions, StandardOptions

from pipeline.runner import RESOURCE_HINTS, pipeline_options
from transforms import slots
from transforms.slots import MIB


@pytest.mark.parametrize(
    ("cores", "mib", "tracks", "workers"), [(8, 64_000, 100, 8), (8, 1600, 100, 3), (8, 300, 100, 1), (8, 64_000, 2, 2)]
)
def test_workers_are_bounded_by_cores_memory_and_work(monkeypatch, cores, mib, tracks, workers):
    monkeypatch.setattr(slots, "cores", lambda: cores)
    monkeypatch.setattr(slots, "memory_bytes", lambda: mib * MIB)
    assert workers == pipeline_options([], tracks).view_as(DirectOptions).direct_num_workers


def hints(*options):
    return pipeline_options(list(options), 1).view_as(StandardOptions).resource_hints


def test_dataflow_is_told_what_a_worker_needs_unless_the_user_says_it():
    assert list(RESOURCE_HINTS) == hints("--runner=DataflowRunner")
    assert ["min_ram=9GB"] == hints("--runner=DataflowRunner", "--resource_hint=min_ram=9GB")


@pytest.mark.parametrize("runner", ["FnApiRunner", "PortableRunner", "FlinkRunner"])
def test_no_other_runner_is_told(runner):
    assert not hints(f"--runner={runner}")


def test_beam_understands_the_hints_and_puts_every_step_into_one_environment():
    pipeline = beam.Pipeline(options=pipeline_options([f"--resource_hint={hint}" for hint in RESOURCE_HINTS], 1))
    pipeline | beam.Create([1]) | beam.Reshuffle() | beam.Map(str)
    steps = pipeline.to_runner_api(use_fake_coders=True).components
    used = {step.environment_id for step in steps.transforms.values() if step.environment_id}
    (environment,) = (steps.environments[one] for one in used)
    assert {b"1", str(500 * MIB).encode()} == set(environment.resource_hints.values())
