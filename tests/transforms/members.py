"""Members of albums without any file behind them: made of numbers that look like music."""

from __future__ import annotations

from msgspec import structs

from dsp.edges import Edge
from dsp.gating import ABSOLUTE_GATE_LUFS, BINS_PER_LU, ENERGY_UNIT, GatingBlocks, energy_of
from schemas.figures import Analysis, AudioFormat, Figures, Overview
from schemas.steps import Analysed, Job, Master, Mastered, Planned, Rehearsed, Rejected, Take
from schemas.track import Track
from tests.media.plans import profile

JOB = Job(output="/nowhere", run_id="r", profiles={"": profile()})


def track(number: int = 1, album: str = "A", **more: object) -> Track:
    """A row of a manifest."""
    row = {"row": number + 1, "uri": f"/nowhere/{number}.wav", "track_id": f"{album}/{number}", "sequence": number}
    names = {"album_id": album, "album_folder": album, "file_stem": f"1-{number:02d}"}
    return Track(**(row | names | more))


def analysis(loudness_lufs: float = -20.0, **more: object) -> Analysis:
    """The measurement of a track of one loudness."""
    level = int((loudness_lufs - ABSOLUTE_GATE_LUFS) * BINS_PER_LU)
    blocks = GatingBlocks((level,), (100,), (round(100 * energy_of(loudness_lufs) / ENERGY_UNIT),))
    figures = Figures(
        integrated_lufs=loudness_lufs, true_peak_dbtp=-12.0, sample_peak_dbfs=-12.5, spectrum_db=(-20.0,) * 30 + (None,)
    )
    audio = AudioFormat(container="WAV", codec="PCM_24", rate_hz=44_100, channels=2, frames=441_000, bits=24)
    end = Edge(0.0, ((), ()))
    parts = {"sha256": "0" * 64, "format": audio, "figures": figures, "gating": blocks, "offset_ratio": (0.0, 0.0)}
    more_parts = {"subsonic_dbfs": None, "head": end, "tail": end, "overview": Overview(low=(-0.5,), high=(0.25,))}
    return Analysis(**(parts | more_parts | more))


def analysed(number: int = 1, album: str = "A", loudness_lufs: float = -20.0) -> Analysed:
    """A measured track."""
    return Analysed(track=track(number, album), analysis=analysis(loudness_lufs))


def rejected(number: int = 1, album: str = "A", **more: object) -> Rejected:
    """A track that could not be read."""
    names = {"track_id": f"{album}/{number}", "album_id": album, "source_uri": f"/nowhere/{number}.wav"}
    reason = {"row": number + 1, "stage": "analyse", "code": "SOURCE_MISSING", "text": "gone", "hint": "look"}
    return Rejected(**(names | reason | more))


def rehearsed(draft: object) -> Rehearsed:
    """A draft that was tried: each gain comes out of the limiter as it went in."""
    takes = tuple(
        Take(gain_db=g, gating=analysis(-20.0 + g).gating, max_reduction_db=0.0, mean_reduction_db=0.0)
        for g in draft.gains_db  # type: ignore[attr-defined]
    )
    return Rehearsed(draft=draft, takes=takes if len(takes) > 1 else ())  # type: ignore[arg-type]


def mastered(planned: Planned) -> Mastered:
    """A track whose masters measure as planned."""
    masters = tuple(
        Master(
            delivery=d.name, uri=d.uri, proof=_proof(d.quantiser.bits), bits=d.quantiser.bits,
            ceiling_dbtp=d.limiter.ceiling_dbtp, target_lufs=planned.plan.target_lufs,
        )
        for d in planned.plan.deliveries
    )  # fmt: skip
    return Mastered(
        track=planned.track, analysis=planned.analysis, plan=planned.plan, masters=masters, outcome="mastered",
        limiter_max_reduction_db=0.5, limiter_mean_reduction_db=0.1, reason="never mastered",
    )  # fmt: skip


def _proof(bits: int) -> Analysis:
    found = analysis(-14.0)
    return structs.replace(found, format=structs.replace(found.format, bits=bits))
