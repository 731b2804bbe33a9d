"""Decides all that comes before the gain: one set of processors for a run of joined tracks, so that no seam can be heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from msgspec import structs

from decisions.asked_tone import decide_asked_tone
from decisions.carrier import decide_ends, decide_expander, decide_mono_bass
from decisions.cleaning import decide_cleaning, decide_declipping, offset_at_start
from decisions.dynamics import decide_attack, decide_colour, decide_compressor, decide_multiband
from decisions.material import Material, recognise
from decisions.references import expected_of
from decisions.resonance import decide_de_esser, decide_resonances
from decisions.revisions import Wish, revised
from decisions.tone import INTENSITY, Heard, Tone, decide_tone
from dsp.gating import integrated_lufs, pooled
from dsp.settings import DeclipperSettings, DeEsserSettings, SubsonicSettings
from schemas.norm import Norm
from schemas.plan import Decision, Head
from schemas.profile import Profile
from schemas.signoff import Revision
from schemas.steps import Analysed


class RunHead(NamedTuple):
    """What was decided for a run of joined tracks, and how lightly its material is to be touched."""

    head: Head
    decisions: tuple[Decision, ...]
    touch_ratio: float
    references_refused: tuple[str, ...]


def decide_heads(runs: Sequence[Sequence[Analysed]], profile: Profile, revisions: Sequence[Revision]) -> list[RunHead]:
    """Head and decisions for each run of an album; tone and width are decided for the album together, then as was asked."""
    materials = [_material(run, profile) for run in runs]
    expected = [_expected(run, profile) for run in runs]
    heard = [
        [Heard(track.analysis.figures, track.analysis.format.duration_s, norm, material.touch_ratio) for track in run]
        for run, (norm, _), (material, _) in zip(runs, expected, materials, strict=True)
    ]
    wishes = [Wish(revised(profile, revision), revision) for revision in revisions]
    tones = [
        decide_asked_tone(tone, run, wish)
        for tone, run, wish in zip(decide_tone(heard, profile), heard, wishes, strict=True)
    ]
    return [
        _head(run, tone, known, one, wish.profile)
        for run, tone, known, one, wish in zip(runs, tones, materials, expected, wishes, strict=True)
    ]


def _expected(run: Sequence[Analysed], profile: Profile) -> tuple[Norm, tuple[str, ...]]:
    """The norm of a run, from the references of all its tracks; and which of them cannot serve, and why."""
    references = tuple(dict.fromkeys(one for track in run for one in track.references))
    return expected_of(structs.replace(run[0], references=references), profile)


def _material(run: Sequence[Analysed], profile: Profile) -> tuple[Material, str]:
    """The material of the track that must be touched most lightly; and, where it is joined with others, its name."""
    found = [(recognise(track.analysis, track.track.genre, profile.material), track.track) for track in run]
    material, track = min(found, key=lambda one: (one[0].dynamics, one[0].touch_ratio))
    return material, f'joined with "{track.title or track.track_id}": ' if len(run) > 1 else ""


def _head(
    run: Sequence[Analysed],
    tone: Tone,
    known: tuple[Material, str],
    expected: tuple[Norm, tuple[str, ...]],
    profile: Profile,
) -> RunHead:
    (material, whose), (norm, refused) = known, expected
    figures, rate_hz = [track.analysis.figures for track in run], run[0].analysis.format.rate_hz
    loudness = integrated_lufs(pooled(track.analysis.gating for track in run))
    peaks = [one.true_peak_dbtp for one in figures if one.true_peak_dbtp is not None]
    declipper, restored = _declipper(run, material, profile)
    subsonic, cleaned = _subsonic(run, profile)
    ends, ended = decide_ends(profile.carrier, rate_hz)
    resonances, resonant = decide_resonances(figures, norm, material, profile)
    de_esser, sibilant = _de_esser(profile)
    expander, expanded = decide_expander(loudness, material, profile)
    multiband, held = decide_multiband(figures, norm, material, profile)
    compressor, compressed = decide_compressor(loudness, profile.compressor, material)
    transients, low_end, hit = decide_attack(material, profile)
    saturation, coloured = decide_colour(max(peaks, default=None), material, profile)
    imager, centred = decide_mono_bass(profile.carrier, _bass_correlation(run))
    head = Head(
        declipper=declipper,
        subsonic=subsonic,
        ends=ends,
        equaliser=tone.settings,
        resonances=resonances,
        de_esser=de_esser,
        expander=expander,
        multiband=multiband,
        compressor=compressor,
        transients=transients,
        low_end=low_end,
        saturation=saturation,
        imager=imager,
    )
    what = Decision(what="material", how_much=material.kind, why=whose + material.why)
    first = (what, restored, cleaned, ended, *tone.decisions, resonant)
    return RunHead(
        head, (*first, sibilant, expanded, held, compressed, hit, coloured, centred), material.touch_ratio, refused
    )


def _declipper(
    run: Sequence[Analysed], material: Material, profile: Profile
) -> tuple[DeclipperSettings | None, Decision]:
    """One set of levels for the whole run: joined tracks that were clipped at different ones are left as they are."""
    found = [decide_declipping(track.analysis, material, profile.cleaning) for track in run]
    settings = {one for one, _ in found if one is not None}
    if len(settings) > 1:
        why = "joined tracks were clipped at different levels"
        return None, Decision(what=found[0][1].what, how_much="off", why=why)
    return next((one for one in found if one[0] is not None), found[0])


def _subsonic(run: Sequence[Analysed], profile: Profile) -> tuple[SubsonicSettings | None, Decision]:
    """The filter starts once for the whole run, settled on the offset that it meets first."""
    found = [decide_cleaning(track.analysis, profile.cleaning) for track in run]
    subsonic, why = next((one for one in found if one[0] is not None), found[0])
    if subsonic is not None:
        subsonic = replace(subsonic, offset_ratio=offset_at_start(run[0].analysis))
    return subsonic, why


def _de_esser(profile: Profile) -> tuple[DeEsserSettings | None, Decision]:
    style_db = profile.taste.speech.max_de_ess_db if profile.taste.speech is not None else 0.0
    style_db = min(12.0, style_db * INTENSITY[profile.intensity])
    carrier_db = profile.carrier.max_de_ess_db if profile.carrier is not None else 0.0
    return decide_de_esser(max(style_db, carrier_db), "the carrier" if carrier_db >= style_db else "the style")


def _bass_correlation(run: Sequence[Analysed]) -> float | None:
    """The widest bass of a run."""
    known = [bands[0] for track in run if (bands := track.analysis.figures.correlation_bands) and bands[0] is not None]
    return min(known, default=None)
