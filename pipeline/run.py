"""A run from its request to its summary: checks everything first, runs the graph, counts what came out."""

from __future__ import annotations

import os
import platform
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field, structs

from decisions.choices import Choices, chosen
from decisions.profile_files import load_profile
from dsp import SOUND_VERSION
from media import store
from media.analysis import ANALYSIS_VERSION
from media.lanes import Beacon, Onlooker
from media.manifest import read_manifest
from media.references import check_references
from pipeline.forecast import Forecast, forecast
from pipeline.metrics_file import MetricsFile
from pipeline.overrides import kept, overrides_for
from pipeline.prices import load_prices
from pipeline.retry import retried_ids
from pipeline.run_records import recorded
from pipeline.selection import Selection, digest_of, selected_tracks
from pipeline.tables import table_rows
from pipeline.workplace import check_reachable, checked_output, new_run_id, workplace
from schemas.errors import CatalogueError
from schemas.profile import Profile
from schemas.steps import Job, MixWish, Speech
from schemas.track import Track

LIBRARIES = ("lathe", "apache-beam", "numpy", "scipy", "numba", "soundfile", "soxr", "pyarrow", "msgspec")
FOUND = "findings.list.item.code"
"""Of all that findings say, the codes: a summary of a large catalogue stays small."""
Progress = Callable[[int, int], None]
"""Told now and then how many tracks of how many are done."""


class Request(Struct, frozen=True, kw_only=True):
    """What the user asked for."""

    manifest: str
    output: str
    profile: str = "streaming"
    roots: tuple[str, ...] = ()
    only: str | None = None
    limit: int | None = None
    force: bool = False
    retry_rejected: bool = False
    priority: bool = False
    choices: Choices = Choices()
    mixing: MixWish = MixWish()
    songs_only: bool = False
    """Only what comes as stems, as `lathe mix` does."""
    beam_options: tuple[str, ...] = ()
    metrics: str | None = None
    """Where the file of metrics stands, if not in the output."""
    speech: Speech = Speech()


class Summary(Struct, frozen=True, kw_only=True):
    """How a run ended; `audio_s` is the length of what was mastered in it."""

    run_id: str
    """Empty where there was nothing to do, so that no run took place."""
    mastered: int
    skipped: int
    rejected: int
    findings: dict[str, int]
    audio_s: float
    wall_s: float
    cpu_s: float
    """Processor time, the larger of two figures: what this process and all that it started took (on one machine that is
    everything), and `work_cpu_s`, which counts wherever workers ran, but none of Beam's own time there."""
    output: str
    rejections: dict[str, int] = field(default_factory=dict)
    failed: int = 0
    """Tracks with masters that failed a check: verdict `rejected`."""
    work_cpu_s: float = 0.0
    """Processor time of the steps of all tracks, wherever they ran."""
    waited_s: float = 0.0
    """Time that workers, taken together, let runs with --priority go first."""
    mixed: int = 0
    """Songs that were mixed from stems, also those that were then mastered."""


CONTRACT = ("run_id", "mastered", "skipped", "rejected", "findings", "audio_s", "wall_s", "cpu_s", "output")


class LostTracksError(RuntimeError):
    """The counts of a run do not add up: a fault of Lathe, never of a track (law 9)."""


def prepared(request: Request, *, one_of_many: bool = False) -> tuple[Selection, list[Track], dict[str, Profile]]:
    """Manifest, profiles and settings of mixes, checked as a whole; raises CatalogueError with everything that is wrong.

    A run that is `one_of_many` may be given settings for songs of other manifests.
    Raises NothingToRetry where only what failed was to be tried again, and nothing did.
    """
    output = checked_output(request.output)
    check_reachable(request.manifest)
    tracks = read_manifest(request.manifest, roots=request.roots, output=output)
    _check_not_own(tracks, output)
    manifest = request.manifest if store.is_remote(request.manifest) else os.path.abspath(request.manifest)
    selection = Selection(
        manifest=manifest,
        output=output,
        roots=request.roots,
        only=request.only,
        limit=request.limit,
        songs_only=request.songs_only,
        retried=retried_ids(tracks, output, manifest) if request.retry_rejected else None,
        digest=digest_of(tracks),
        asked=overrides_for(tracks, request.manifest, output, request.roots),
    )
    names = {"", *(track.profile for track in tracks)}
    profiles = {name: chosen(load_profile(name or request.profile), request.choices) for name in sorted(names)}
    references = sorted({uri for profile in profiles.values() for uri in profile.references})
    for uri in references:
        check_reachable(uri)
    check_references(references)  # those of a row are measured with their track
    chosen_tracks = selected_tracks(tracks, selection)
    _check_settings(request.mixing.settings, tracks, chosen_tracks, one_of_many)
    return selection, chosen_tracks, profiles


def _check_settings(uris: Sequence[str], tracks: list[Track], chosen: list[Track], one_of_many: bool) -> None:
    if not uris:
        return
    # Imported here: few runs have any, and what reads them takes a while to load.
    from pipeline.settings_files import check_settings_files

    marked = {track.track_id for track in chosen if track.selected}
    songs = [structs.replace(track, selected=track.track_id in marked) for track in tracks if track.song is not None]
    check_settings_files(uris, songs, one_of_many=one_of_many)


def _check_not_own(tracks: list[Track], output: str) -> None:
    """A master is never mastered again, and what came of a mix is no stem of one."""
    sources = [(track.row, track.uri) for track in tracks if track.song is None]
    sources += [(stem.row, stem.uri) for track in tracks if track.song for stem in track.song.stems]
    own = sorted((row, uri) for row, uri in sources if uri.startswith(f"{output}/"))
    if own:
        hint = "is below the output of this run: a master would be mastered again"
        raise CatalogueError("MANIFEST_INVALID", [f'row {row}, column uri: "{uri}" {hint}' for row, uri in own])


def run_catalogue(request: Request, progress: Progress, metrics: MetricsFile | None = None) -> Summary:
    """Masters a catalogue; raises CatalogueError before anything is rendered, LostTracksError if tracks went missing.

    `metrics` is the file of a watch, where the run is one of many.
    """
    started_s, spent_s = time.monotonic(), _cpu_s()
    selection, tracks, profiles = prepared(request, one_of_many=metrics is not None)
    output = selection.output
    run_id = new_run_id(output)
    wanted = [track.track_id for track in tracks if track.selected]
    job = _job(request, run_id, profiles, output)
    metrics = metrics or MetricsFile(output, request.metrics)
    lane = Beacon(output, run_id) if request.priority else Onlooker(output)
    told = recorded(job, facts(request, selection, profiles))
    with workplace(output, run_id) as folder, told as record, lane, metrics.of_run(run_id, len(wanted)):
        tick = _ticker(folder, len(wanted), progress, lane, metrics)
        _run_graph(selection, job, list(request.beam_options), tracks, tick)
        summary, found = summary_of(output, run_id, time.monotonic() - started_s, _cpu_s() - spent_s)
        _check_none_lost(run_id, found, Counter(wanted))
        record.update(msgspec.to_builtins(summary))
    return summary


def _job(request: Request, run_id: str, profiles: dict[str, Profile], output: str) -> Job:
    return Job(
        output=output,
        run_id=run_id,
        profiles=profiles,
        force=request.force,
        priority=request.priority,
        speech=request.speech,
        mixing=request.mixing,
    )


def is_template(beam_options: Sequence[str]) -> bool:
    """Whether Beam only writes the graph down, for a service that runs it later: a Dataflow template."""
    return any(option.startswith("--template_location") for option in beam_options)


def write_template(request: Request) -> str:
    """Checks everything and writes the graph down; returns the id of the run that it will be.

    Raises CatalogueError as a run does. Nothing is counted: nobody is there when the run ends.
    """
    selection, tracks, profiles = prepared(request)
    job = _job(request, new_run_id(selection.output), profiles, selection.output)
    _run_graph(selection, job, list(request.beam_options), tracks, lambda: None)
    return job.run_id


def _run_graph(
    selection: Selection, job: Job, beam_options: list[str], tracks: Sequence[Track], tick: Callable[[], None]
) -> None:
    # Imported here: Beam takes a second to load, and a wrong manifest should be told at once.
    import apache_beam as beam

    from pipeline.batch import master_catalogue
    from pipeline.runner import pipeline_options, prepare_process
    from pipeline.supervise import supervised

    prepare_process(job.speech)
    songs = [track.song for track in tracks if track.song is not None]
    elements = len(tracks) + sum(len(song.stems) for song in songs)
    pipeline = beam.Pipeline(options=pipeline_options(beam_options, elements))
    master_catalogue(pipeline, kept(selection, job.run_id), job, songs=bool(songs))
    supervised(lambda: pipeline.run().wait_until_finish(), tick)


def _ticker(
    folder: Path | None, total: int, progress: Progress, lane: Beacon | Onlooker, metrics: MetricsFile
) -> Callable[[], None]:
    """Counts the lines that workers on this machine leave in the progress file, and looks after lane and metrics."""
    path = folder / "progress" if folder is not None else None

    def read() -> str:
        return path.read_text() if path is not None and path.exists() else ""

    def tick() -> None:
        progress(read().count("\n"), total)
        lane.refresh()
        metrics.progressed(lambda: read().splitlines())

    return tick


def summary_of(output: str, run_id: str, wall_s: float, cpu_s: float) -> tuple[Summary, Counter[str]]:
    """A run as its rows tell it, and how many rows each track has."""
    tracks = table_rows(output, "tracks", run_id, ["track_id", "outcome", "verdict", "duration_s", FOUND])
    albums = table_rows(output, "albums", run_id, [FOUND])
    rejected = table_rows(output, "rejected", run_id, ["track_id", "code"])
    mixes = table_rows(output, "mixes", run_id, ["mix_id", "outcome", "mastered", "duration_s", FOUND])
    only_mixed = [row for row in mixes if not row["mastered"]]
    work = table_rows(output, "work", run_id, ["cpu_s", "waited_s"])
    found = Counter([row["track_id"] for row in [*tracks, *rejected]] + [row["mix_id"] for row in only_mixed])
    outcomes = Counter(row["outcome"] for row in tracks)
    work_cpu_s = sum(row["cpu_s"] for row in work)
    summary = Summary(
        run_id=run_id,
        mastered=outcomes["mastered"],
        skipped=outcomes["skipped"] + sum(row["outcome"] == "skipped" for row in only_mixed),
        rejected=len(rejected),
        findings=_findings(tracks, [*albums, *mixes]),
        mixed=sum(row["outcome"] == "mixed" for row in mixes),
        failed=sum(row["verdict"] == "rejected" for row in tracks),
        rejections=_counted(row["code"] for row in rejected),
        audio_s=round(sum(row["duration_s"] for row in tracks if row["outcome"] == "mastered"), 3),
        wall_s=round(wall_s, 3),
        cpu_s=round(max(cpu_s, work_cpu_s), 3),
        output=output,
        work_cpu_s=round(work_cpu_s, 3),
        waited_s=round(sum(row["waited_s"] for row in work), 3),
    )
    return summary, found


def _check_none_lost(run_id: str, found: Counter[str], wanted: Counter[str]) -> None:
    """Every track of the manifest has one row (law 9)."""
    if found != wanted:
        lost = sorted(set(wanted) - set(found))[:10]
        extra = sorted(name for name, count in (found - wanted).items() if count)[:10]
        raise LostTracksError(f"run {run_id}: tracks without a row: {lost}; rows too many: {extra}")


def _findings(tracks: list[dict[str, Any]], albums: list[dict[str, Any]]) -> dict[str, int]:
    """Tracks by finding; of albums only what no track of them tells already."""
    codes = [code for row in tracks for code in {f["code"] for f in row["findings"]}]
    told = set(codes)
    return _counted(codes + [f["code"] for row in albums for f in row["findings"] if f["code"] not in told])


def nothing_done(request: Request) -> Summary:
    """The summary where there was nothing to do."""
    return Summary(
        run_id="",
        mastered=0,
        skipped=0,
        rejected=0,
        findings={},
        audio_s=0.0,
        wall_s=0.0,
        cpu_s=0.0,
        output=checked_output(request.output),
    )


def contract(summary: Summary) -> dict[str, Any]:
    """What `--json` prints: these keys and no others."""
    return {key: getattr(summary, key) for key in CONTRACT}


def _counted(codes: Any) -> dict[str, int]:
    return dict(sorted(Counter(codes).items()))


def _cpu_s() -> float:
    """Processor time of this process and of the workers that it started and that have ended."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in spent)


def facts(request: Request, selection: Selection, profiles: dict[str, Profile]) -> dict[str, Any]:
    """What `runs/<run_id>.json` tells of a run from its beginning."""
    return {
        "command": sys.argv,
        "request": msgspec.to_builtins(request),
        "manifest": selection.manifest,
        "manifest_digest": selection.digest,
        "overrides": msgspec.to_builtins(selection.asked.overrides),
        "profiles": {name or "(run)": msgspec.to_builtins(profile) for name, profile in profiles.items()},
        "versions": {
            "sound": SOUND_VERSION,
            "figures": ANALYSIS_VERSION,
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        },
    }


def dry_run(request: Request, prices: str | None = None) -> Forecast:
    """What a run would do and take, without doing it; `prices` is a file with a price table, else Lathe's own counts."""
    table = load_prices(prices)
    selection, tracks, profiles = prepared(request)
    return forecast(
        tracks,
        _job(request, "forecast", profiles, selection.output),
        table,
        request.beam_options,
    )
