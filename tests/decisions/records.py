"""Makers of the records that decisions read: one line each in a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import replace

from decisions.profile_files import load_profile
from dsp.audio import Audio, to_gain
from dsp.detectors.sightings import Sightings
from dsp.edge_meter import EdgeMeter
from dsp.edges import Edge
from dsp.gating import GatingBlocks, energy_of, integrated_lufs, pooled
from dsp.loudness import gating_blocks
from schemas.detected import Detected
from schemas.figures import Analysis, AudioFormat, Figures
from schemas.plan import Plan
from schemas.profile import Profile
from schemas.steps import Analysed, Draft, Master, Mastered, Planned, Rehearsed, Rejected, Take
from schemas.track import Track

RATE_HZ = 44_100
SILENT = Edge(0.0, ((), ()))


def profile(name: str = "streaming", **tables: Mapping[str, object]) -> Profile:
    """A built-in profile with some values of some tables changed; limits are replaced as a whole."""
    whole = load_profile(name)
    changed = {
        table: replace(getattr(whole, table), **values) if isinstance(getattr(whole, table), msgspec.Struct) else values
        for table, values in tables.items()
    }
    return replace(whole, **changed)


def gating_at(lufs: float, blocks: int = 100, spread_lu: float = 0.0) -> GatingBlocks:
    """Gating blocks of a programme around a loudness, alternately louder and quieter by a spread."""
    levels = lufs + spread_lu * np.where(np.arange(blocks) % 2, 1.0, -1.0)
    return gating_blocks(np.array([energy_of(float(level)) for level in levels]))


def edges_of(audio: Audio, rate_hz: int = RATE_HZ) -> tuple[Edge, Edge]:
    """Head and tail of some audio, as measured."""
    meter = EdgeMeter(rate_hz, audio.shape[1])
    meter.push(audio)
    return meter.edges()


def track(number: int = 1, **changes: Any) -> Track:
    values: dict[str, Any] = {
        "row": number + 1,
        "uri": f"/sources/{number}.wav",
        "track_id": f"T{number}",
        "album_id": "A",
        "album_folder": "A",
        "file_stem": f"1-{number:02} T{number}",
        "sequence": number,
    }
    return Track(**{**values, **changes})


def audio_format(**changes: Any) -> AudioFormat:
    values: dict[str, Any] = {
        "container": "WAV",
        "codec": "PCM_24",
        "rate_hz": RATE_HZ,
        "channels": 2,
        "frames": 180 * RATE_HZ,
        "bits": 24,
    }
    return AudioFormat(**{**values, **changes})


def analysis(
    lufs: float = -20.0,
    *,
    peak_dbtp: float | None = -12.0,
    spread_lu: float = 0.0,
    spectrum_db: Sequence[float | None] = (None,) * 31,
    file: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Analysis:
    values: dict[str, Any] = {
        "sha256": sha256(f"{lufs} {peak_dbtp}".encode()).hexdigest(),
        "format": audio_format(**(file or {})),
        "figures": Figures(
            integrated_lufs=lufs,
            true_peak_dbtp=peak_dbtp,
            sample_peak_dbfs=None if peak_dbtp is None else peak_dbtp - 0.1,
            spectrum_db=tuple(spectrum_db),
        ),
        "gating": gating_at(lufs, spread_lu=spread_lu),
        "offset_ratio": (0.0, 0.0),
        "subsonic_dbfs": None,
        "head": SILENT,
        "tail": SILENT,
    }
    return Analysis(**{**values, **changes})


COUNTED = ("flat_tops", "inter_sample_overs", "clicks", "dropouts", "noise_bursts")


def showing(name: str, value: float, base: Analysis | None = None) -> Analysis:
    """An analysis in which a measure has a value."""
    base = base or analysis()
    if name in Figures.__struct_fields__:
        return _with_figures(base, **{name: value})
    if name in COUNTED:
        seen = Sightings(int(value), 1.5, (1.0,)) if value else Sightings()
        return _with_detected(base, **{name: seen})
    if name in Detected.__struct_fields__:
        return _with_detected(base, **{name: value})
    return _SHOWING[name](base, value)


def _with_figures(base: Analysis, **figures: Any) -> Analysis:
    return replace(base, figures=replace(base.figures, **figures))


def _with_format(base: Analysis, **values: Any) -> Analysis:
    return replace(base, format=replace(base.format, **values))


def _with_detected(base: Analysis, **seen: Any) -> Analysis:
    return replace(base, detected=replace(base.detected, **seen))


def _edge(samples: int, level_dbfs: float) -> Edge:
    return Edge(0.1, ((0.0,) * samples, (to_gain(level_dbfs),) * samples))


_SHOWING: dict[str, Callable[[Analysis, float], Analysis]] = {
    "heard_lufs": lambda base, value: _with_figures(base, integrated_lufs=value),
    "float_peak_dbfs": lambda base, value: _with_format(_with_figures(base, sample_peak_dbfs=value), floating=True),
    "rms_dbfs": lambda base, value: _with_figures(base, sample_peak_dbfs=-1.0, crest_db=-1.0 - value),
    "dc_offset_dbfs": lambda base, value: replace(base, offset_ratio=(0.0, -to_gain(value))),
    "polarity_correlation": lambda base, value: _with_figures(base, correlation=value),
    "bass_correlation": lambda base, value: _with_figures(
        base, correlation_bands=(value, 0.5, 0.5, 0.5), spectrum_db=(-30.0,) * 31
    ),
    "imbalance_lu": lambda base, value: _with_figures(base, balance_lu=-value),
    "silent_channels": lambda base, value: _with_figures(base, balance_lu=50.0 * value),
    "silent": lambda base, value: _with_figures(base, integrated_lufs=None if value else -20.0),
    "rate_hz": lambda base, value: _with_format(base, rate_hz=int(value)),
    "bits": lambda base, value: _with_format(base, bits=int(value)),
    "channels": lambda base, value: _with_format(base, channels=int(value)),
    "duration_s": lambda base, value: _with_format(base, frames=round(value * base.format.rate_hz)),
    "floating": lambda base, value: _with_format(base, floating=bool(value)),
    "lossy": lambda base, value: _with_format(base, lossy=bool(value)),
    "unused_bits": lambda base, value: _with_figures(base, true_bits=24 - int(value)),
    "first_samples_dbfs": lambda base, value: replace(base, head=_edge(16, value)),
    "last_samples_dbfs": lambda base, value: replace(base, tail=_edge(32, value)),
    "silence_inside_s": lambda base, value: _with_detected(base, silences=Sightings(1, value, (1.0,))),
    "transcode_level": lambda base, value: _with_detected(base, transcode=("clear", "suspect", "certain")[int(value)]),
}


def analysed(
    number: int = 1, lufs: float = -20.0, *, about: Mapping[str, Any] | None = None, **measured: Any
) -> Analysed:
    """An analysed track; `about` is what the manifest says of it."""
    return Analysed(track=track(number, **(about or {})), analysis=analysis(lufs, **measured))


def rejected(number: int = 9, code: str = "SOURCE_CORRUPT") -> Rejected:
    return Rejected(
        track_id=f"T{number}",
        album_id="A",
        source_uri=f"/sources/{number}.wav",
        row=number + 1,
        stage="analyse",
        code=code,
        text="broken",
        hint="mend it",
    )


def rehearse(draft: Draft) -> Rehearsed:
    """A draft with takes from a modelled limiter: it takes a tenth of the square of what exceeds the ceiling."""
    unasked = _takes(draft.as_unasked()) if draft.unasked is not None else ()
    return Rehearsed(draft=draft, takes=_takes(draft), unasked_takes=unasked)


def _takes(draft: Draft) -> tuple[Take, ...]:
    if not draft.needs_rehearsal:
        return ()
    lufs, peak = draft.analysis.figures.integrated_lufs, draft.analysis.figures.true_peak_dbtp
    assert lufs is not None and peak is not None
    takes = []
    for gain_db in draft.gains_db:
        over_db = max(0.0, peak + gain_db - draft.limiter.ceiling_dbtp)
        lost_lu = over_db**2 / 50.0
        gating = gating_at(lufs + gain_db - lost_lu)
        takes.append(Take(gain_db=gain_db, gating=gating, max_reduction_db=over_db, mean_reduction_db=lost_lu))
    return tuple(takes)


def master_lufs(plans: Sequence[Planned]) -> float | None:
    """Pooled loudness of tracks at their planned gains, where no limiter acts."""
    return integrated_lufs(
        pooled(gating_at((one.analysis.figures.integrated_lufs or 0.0) + one.plan.gain_db) for one in plans)
    )


def plan(**changes: Any) -> Plan:
    """A plan with what a test of findings reads; everything else empty."""
    values: dict[str, Any] = {
        "profile": "streaming",
        "style": "transparent",
        "intensity": "medium",
        "target_lufs": -14.0,
        "tolerance_lu": 0.1,
        "mode": "album",
        "head": {},
        "gain_db": 6.0,
        "deliveries": [],
    }
    names = {field.name for field in msgspec.structs.fields(Plan)}
    known = {name: value for name, value in {"shared_by": 1, **values}.items() if name in names}
    return replace(msgspec.convert(known, Plan), **changes)


def master(
    lufs: float = -14.0,
    *,
    peak_dbtp: float = -1.0,
    delivery: str = "cd",
    file: Mapping[str, Any] | None = None,
    proof: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Master:
    """A master and its proof; `file` is what its format has, `proof` what else was measured on it."""
    bits = 16 if delivery == "cd" else 24
    values: dict[str, Any] = {
        "delivery": delivery,
        "uri": f"/out/masters/{delivery}/A/1.wav",
        "proof": analysis(lufs, peak_dbtp=peak_dbtp, file={"bits": bits, **(file or {})}, **(proof or {})),
        "bits": bits,
        "ceiling_dbtp": -1.0,
        "target_lufs": -14.0,
    }
    return Master(**{**values, **changes})


def mastered(
    number: int = 1,
    *masters: Master,
    source: Analysis | None = None,
    about: Mapping[str, Any] | None = None,
    **planned: Any,
) -> Mastered:
    """A mastered track; what is left over is said of its plan."""
    return Mastered(
        track=track(number, **(about or {})),
        analysis=source or analysis(),
        plan=plan(**planned),
        masters=masters or (master(),),
        limiter_max_reduction_db=0.0,
        limiter_mean_reduction_db=0.0,
        outcome="mastered",
        reason="new",
    )
