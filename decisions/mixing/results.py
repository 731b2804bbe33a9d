"""What became of each stem of a session: whether it is heard, how loud it stands in the mix, and how much of it is covered."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import structs

from decisions.mixing.masking import masked_ratios
from decisions.mixing.prediction import loudness_lufs
from decisions.mixing.session import HeardStem, Rehearsal, Session
from decisions.mixing.strips import used_strips
from schemas.mix import MixSettings, RenderedFile, StemResult, Strip


def results_of(
    session: Session, settings: MixSettings, files: Mapping[str, RenderedFile], mix_lufs: Mapping[str, float | None]
) -> tuple[StemResult, ...]:
    """One result for each stem of the manifest (law 9).

    `files` are the processed stems by stem_id, where they were asked for; `mix_lufs` is the loudness of each in the mix.
    """
    before, after = masked_ratios(session, levelled(settings)), masked_ratios(session, settings)
    strips = {strip.stem_id: strip for strip in settings.stems}
    found = []
    for one in session.stems:
        name = one.stem.stem_id
        result = _result(one, strips[name], mix_lufs.get(name))
        file = files.get(name)
        found.append(
            structs.replace(
                result,
                masked_before_ratio=before.get(name),
                masked_after_ratio=after.get(name),
                stem_uri=file.uri if file else None,
                stem_sha256=file.sha256 if file else None,
            )
        )
    return tuple(found)


def mix_lufs_of(
    session: Session, tried: MixSettings, rehearsal: Rehearsal, settings: MixSettings
) -> dict[str, float | None]:
    """The loudness of each used stem as it stands in the mix: as it came out when it was tried, and its fader's move since.

    Over the time in which the stem itself sounds, so that its pauses do not count.
    """
    was = {strip.stem_id: strip.gain_db for strip in tried.stems}
    found: dict[str, float | None] = {}
    for one, strip in used_strips(session, settings):
        energies = rehearsal.energies[strip.stem_id]
        steps = min(len(energies), one.trace.steps)
        active = energies[:steps][one.trace.active[:steps]]
        moved_db = strip.gain_db - was[strip.stem_id] + settings.gain_db
        found[strip.stem_id] = loudness_lufs(float(active.mean())) + moved_db if len(active) and active.any() else None
    return found


def levelled(settings: MixSettings) -> MixSettings:
    """The same mix with nothing but its levels: what masking is counted against."""
    plain = tuple(
        structs.replace(strip, inserts=(), automation_db=(), ducks=(), sends=(), pan_ratio=0.0, width_ratio=1.0)
        for strip in settings.stems
    )
    return structs.replace(settings, stems=plain, returns=())


def _result(one: HeardStem, strip: Strip, mix_lufs: float | None) -> StemResult:
    why = strip.why.get("use")
    code = why.evidence.get("code") if why is not None else None
    return StemResult(
        stem_id=strip.stem_id,
        uri=one.stem.uri,
        sha256=one.figures.sha256,
        role=strip.role,
        role_source=one.role_source,
        state="used" if strip.use else "muted" if one.stem.mute or code is None else "left out",
        code=str(code) if code is not None and not strip.use else None,
        source_lufs=one.figures.integrated_lufs,
        mix_lufs=mix_lufs if strip.use else None,
        gain_db=strip.gain_db,
        pan_ratio=strip.pan_ratio,
    )
