"""Sets up Beam: which runner, how many workers, and what stands after `--` on the command line."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

from schemas.steps import Speech
from transforms.log_lines import speak
from transforms.slots import MIB, PROCESS_BYTES, TRACK_BYTES, workers_at_once

LOCAL_RUNNERS = {"", "DirectRunner", "FnApiRunner"}
"""Beam's DirectRunner picks one of three engines by the shape of a pipeline; Lathe always means FnApiRunner."""

RESOURCE_HINTS = (f"min_ram={(PROCESS_BYTES + TRACK_BYTES) // MIB}MiB", "cpu_count=1")
"""A worker process with a track at work; steps use one thread."""


def pipeline_options(beam_options: list[str], tracks: int) -> Any:
    """Beam's options: the user's, and on one machine a worker process for each core, if there are memory and work for it."""
    from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, StandardOptions, WorkerOptions

    options = PipelineOptions(beam_options)
    hint_resources(options)
    standard, direct = options.view_as(StandardOptions), options.view_as(DirectOptions)
    if (standard.runner or "") in LOCAL_RUNNERS:
        standard.runner = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"
        given = any(option.startswith("--direct_num_workers") for option in beam_options)
        workers = direct.direct_num_workers if given else workers_at_once()
        direct.direct_num_workers = max(1, min(workers or workers_at_once(), tracks))
        if not any(option.startswith("--default_sdk_harness_log_level") for option in beam_options):
            options.view_as(WorkerOptions).default_sdk_harness_log_level = "WARNING"
        if not any(option.startswith("--direct_running_mode") for option in beam_options):
            direct.direct_running_mode = "multi_processing" if direct.direct_num_workers > 1 else "in_memory"
    return options


def hint_resources(options: Any) -> None:
    """Asks Dataflow for workers that hold a track, unless the user asks for others; no other runner reads hints.

    They stand for the whole graph: those of a single step put it into an environment of its own, for which other runners start
    as many worker processes again.
    """
    from apache_beam.options.pipeline_options import StandardOptions

    standard = options.view_as(StandardOptions)
    if "DataflowRunner" in (standard.runner or "") and not standard.resource_hints:
        standard.resource_hints = list(RESOURCE_HINTS)


def prepare_process(speech: Speech) -> None:
    """Makes workers start with this Python and with Lathe in reach, and Beam speak only when something is wrong."""
    here, paths = os.path.dirname(sys.executable), os.environ.get("PATH", "")
    if here and not paths.startswith(here + os.pathsep):  # many batches may run in one process
        os.environ["PATH"] = os.pathsep.join([here, paths])
    if " " in sys.executable:
        # Beam starts workers through a shell without quoting this path; by its name it is found on PATH.
        sys.executable = os.path.basename(sys.executable)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", force=True)
    logging.getLogger("apache_beam.runners.portability.local_job_service").setLevel(logging.ERROR)
    speak(speech)
