"""The graph of a batch run: it reads like the plan, and is the same for every runner."""

from __future__ import annotations

import apache_beam as beam

from media.manifest import read_manifest
from pipeline.overrides import fetched
from pipeline.selection import Selection, selected_tracks
from schemas.steps import Job
from schemas.track import Track
from transforms.albums import DraftAlbums, SettleAlbums
from transforms.coders import register_coders
from transforms.mixes import EndMixes, MixSongs
from transforms.quality import WriteMixes, WriteQuality, WriteWork
from transforms.tracks import Analyse, AnalyseListed, Master, MeasuredOnly, Rehearse


def master_catalogue(pipeline: beam.Pipeline, selection: Selection, job: Job, *, songs: bool = False) -> None:
    """Manifest -> masters and rows of quality control, below `job.output`; `songs`: some of it comes as stems."""
    register_coders()
    tracks = pipeline | "ReadManifest" >> ReadManifest(selection)
    if not job.mixing.master:
        songs_asked = tracks | "KeepSongs" >> beam.Filter(lambda track: track.selected and track.song is not None)
        mixes = songs_asked | "MixSongs" >> MixSongs(job) | "EndMixes" >> EndMixes(job)
        mixes | "WriteMixes" >> WriteMixes(job)
        mixes | "WriteWork" >> WriteWork(job)
        return
    if songs:
        analysed = tracks | "MixSongs" >> MixSongs(job) | "Analyse" >> AnalyseListed(job)
    else:
        analysed = tracks | "Analyse" >> Analyse(job)
    drafts = analysed | "DraftAlbums" >> DraftAlbums(job)
    plans = drafts | "Rehearse" >> Rehearse(job) | "SettleAlbums" >> SettleAlbums(job)
    masters = plans | "Master" >> Master(job)
    masters | "WriteQuality" >> WriteQuality(job, songs=songs)
    ended = (masters, plans | "MeasuredOnly" >> MeasuredOnly())
    ended | "Ended" >> beam.Flatten() | "WriteWork" >> WriteWork(job)


class ReadManifest(beam.PTransform):
    """Reads the manifest on a worker, so that a graph stays small whatever the catalogue, and spreads its tracks."""

    def __init__(self, selection: Selection) -> None:
        super().__init__()
        self._selection = selection

    def expand(self, start: beam.Pipeline) -> beam.PCollection[Track]:
        return (
            start
            | "Start" >> beam.Create([self._selection.manifest])
            | "ReadRows" >> beam.FlatMap(_tracks, self._selection).with_output_types(Track)
            | "Spread" >> beam.Reshuffle()
        )


def _tracks(manifest: str, selection: Selection) -> list[Track]:
    tracks = read_manifest(manifest, roots=selection.roots, output=selection.output)
    return selected_tracks(tracks, fetched(selection))
