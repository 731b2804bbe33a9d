"""Figures 4 to 8 of a mix: levels, against the balance of the people who mixed the sessions, beside what others make of them.

    python benchmarks/mix_balance.py FOLDER [--each]

FOLDER is filled by `mix_songs.py`. Each session is spoiled by gains uniform within +-10 dB, five times; what is told of peers
is told of the same. Tables were fitted on every second song of a kind; only the others are reported, unless it says so. Faders
alone are compared: of a peer, too, nothing but its gains is used.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mix_distances import (
    Balance,
    Features,
    balance,
    bark_distance_db,
    feature_distance,
    features,
    lead_to_rest_lu,
    mix_angle,
)
from mix_peers import equal_loudness, has_libsonare, libsonare, plain_sum
from mix_sessions import session_of, spoiled, with_lead, with_reference
from mix_songs import Material, audio_of, sessions, spoils_db
from mix_table import Row, table

from decisions.mixing.levels import decide_levels
from decisions.mixing.session import Session, neutral_settings
from dsp.audio import Floats

SEEDS = range(5)
SLOW_SEEDS = range(1)
"""Of libsonare (a minute a session), and of features (from sound, not from what was heard)."""
OURS, PLAIN, EQUAL, PEER = "Lathe", "plain sum", "equal loudness", "libsonare"
Gains = dict[str, float]


class Outcome(NamedTuple):
    """A session as somebody balanced it, spoiled and balanced again, over all seeds."""

    material: Material
    balances: dict[str, Balance]
    """By who did it: means over the seeds."""
    angles: dict[str, float]
    left_alone: Balance
    """Not spoiled: how far Lathe moves what is balanced already."""
    referenced: Balance
    """Spoiled, with the person's mix given as the reference."""


def rows(folder: Path) -> list[Row]:
    """Figures 4 to 8 on the sessions that were kept from tuning."""
    found = sessions(folder)
    outcomes = [measured(one, folder) for one in found]
    kept = [one for one in outcomes if not one.material.tuned]
    return [*_harm(kept), *_recovered(kept, outcomes), *_leads(found), *_sounds(found, folder)]


def measured(material: Material, folder: Path) -> Outcome:
    """Everything about one session that levels tell."""
    session = session_of(material)
    spoils = [spoils_db(material, seed) for seed in SEEDS]
    errors = {name: [errors_db(gains, spoil) for gains, spoil in done] for name, done in _done(session, spoils).items()}
    if has_libsonare(folder):
        asked = spoils[: len(SLOW_SEEDS)]
        theirs = libsonare(material, asked, folder)
        errors[PEER] = [errors_db(gains, spoil) for gains, spoil in zip(theirs, asked, strict=True)]
    reference = with_reference(session, material, folder)
    referenced = [errors_db(ours(spoiled(reference, spoil)), spoil) for spoil in spoils]
    return Outcome(
        material,
        {name: _mean([balance(one) for one in each]) for name, each in errors.items()},
        {name: float(np.mean([mix_angle(one) for one in each])) for name, each in errors.items()},
        balance(ours(session)),
        _mean([balance(one) for one in referenced]),
    )


def ours(session: Session) -> Gains:
    """The faders that Lathe decides."""
    return {strip.stem_id: strip.gain_db for strip in decide_levels(session, neutral_settings(session)).stems}


def errors_db(gains: Mapping[str, float], spoils: Mapping[str, float]) -> Gains:
    """What is left of the spoiling."""
    return {name: gains[name] + spoil for name, spoil in spoils.items()}


def _done(session: Session, spoils: list[Gains]) -> dict[str, list[tuple[Gains, Gains]]]:
    ways: dict[str, Callable[[Session], Gains]] = {OURS: ours, PLAIN: plain_sum, EQUAL: equal_loudness}
    spoilt = [spoiled(session, spoil) for spoil in spoils]
    return {name: [(way(one), spoil) for one, spoil in zip(spoilt, spoils, strict=True)] for name, way in ways.items()}


def _mean(balances: Iterable[Balance]) -> Balance:
    return Balance(*np.mean(list(balances), axis=0).tolist())


def _of(outcomes: list[Outcome], kind: str | None = None) -> list[Outcome]:
    return [one for one in outcomes if kind in (None, one.material.kind)]


def _harm(kept: list[Outcome]) -> list[Row]:
    found = [one.left_alone for one in kept]
    mean, worst = _mean(found), max(one.max_lu for one in found)
    good = sum(one.mae_lu <= 1.0 and one.max_lu <= 2.0 for one in found)
    said = (
        f"mean {mean.mae_lu:.2f}, max {mean.max_lu:.2f} (worst {worst:.1f}); {good} of {len(found)} sessions hold both"
    )
    reference = _mean(one.referenced for one in kept)
    given = f"MAE {reference.mae_lu:.2f}, max {reference.max_lu:.2f} LU"
    return [
        Row(4, "a balanced session is left alone", "MAE <= 1.0, max <= 2 LU", said, good == len(found)),
        Row(4, "spoiled, its own mix as the reference", "-", given, None),
    ]


def _recovered(kept: list[Outcome], outcomes: list[Outcome]) -> list[Row]:
    asked = {"lmms": 2.0, "gm": 3.0}
    found = []
    for kind, most in asked.items():
        for half, some in (("kept", _of(kept, kind)), ("all", _of(outcomes, kind))):
            means = _means(some)
            said = ", ".join(f"{name} {mae:.2f}" for name, mae in means.items()) + f" ({len(some)} sessions)"
            held = means[OURS] <= most if half == "kept" and some else None
            found.append(Row(5, f"spoiled +-10 dB, {kind}, {half}: balance MAE in LU", f"<= {most:g}", said, held))
    means = _means(kept)
    found.append(_against(means, EQUAL, 0.7))
    if PEER in means:
        found.append(_against(_means_of_slow(kept), PEER, 0.3))
    worse = [one for one in kept if one.balances[OURS].mae_lu > one.balances[EQUAL].mae_lu + 0.3]
    names = ", ".join(one.material.name for one in worse) or "none"
    found.append(Row(5, "sessions worse than equal loudness by > 0.3 LU", "none", f"{len(worse)} ({names})", not worse))
    angles = {name: float(np.mean([one.angles[name] for one in kept])) for name in kept[0].angles} if kept else {}
    said = ", ".join(f"{name} {angle:.2f}" for name, angle in angles.items())
    return [*found, Row(5, "angle to the person's mix in mix space, rad", "-", said, None)]


def _means(some: list[Outcome]) -> dict[str, float]:
    names = some[0].balances if some else {OURS: None}
    return {name: float(np.mean([one.balances[name].mae_lu for one in some])) if some else np.nan for name in names}


def _means_of_slow(some: list[Outcome]) -> dict[str, float]:
    """The means over the seeds that libsonare was asked about."""
    found: dict[str, list[float]] = {OURS: [], PEER: []}
    for one in some:
        session = session_of(one.material)
        for seed in SLOW_SEEDS:
            spoil = spoils_db(one.material, seed)
            found[OURS].append(balance(errors_db(ours(spoiled(session, spoil)), spoil)).mae_lu)
        found[PEER].append(one.balances[PEER].mae_lu)
    return {name: float(np.mean(values)) for name, values in found.items()}


def _against(means: Mapping[str, float], peer: str, less_lu: float) -> Row:
    gap = means[OURS] - means[peer]
    said = f"{means[OURS]:.2f} against {means[peer]:.2f}: {gap:+.2f}"
    return Row(5, f"balance MAE against {peer}, kept", f"<= {-less_lu:g} LU", said, gap <= -less_lu)


def _leads(found: list[Material]) -> list[Row]:
    """No material with a voice can be had: the loudest melody of each session is called its vocal."""
    errors: dict[str, list[float]] = {OURS: [], PLAIN: [], EQUAL: []}
    for material in found:
        session = with_lead(session_of(material))
        lead = next((one for one in session.stems if one.role == "vocal"), None)
        for seed in SEEDS if lead is not None and not material.tuned else ():
            spoil = spoils_db(material, seed)
            one = spoiled(session, spoil)
            for name, way in ((OURS, ours), (PLAIN, plain_sum), (EQUAL, equal_loudness)):
                truth = dict.fromkeys(spoil, 0.0)
                apart = _lead_lu(session, errors_db(way(one), spoil)) - _lead_lu(session, truth)
                errors[name].append(abs(apart))
    said = ", ".join(f"{name} {np.mean(each):.2f}" for name, each in errors.items())
    share = float(np.mean(np.array(errors[OURS]) <= 2.0))
    said += f"; within 2 LU: {100 * share:.0f}%. Stand-in: the loudest melody is called the vocal"
    return [Row(6, "error of lead against accompaniment, LU", "<= 2 LU each, real vocals", said, None)]


def _lead_lu(session: Session, gains_db: Mapping[str, float]) -> float:
    steps = max(one.trace.steps for one in session.stems)
    others = np.zeros(steps)
    for one in session.stems:
        if one.role != "vocal":
            others[: one.trace.steps] += one.trace.energies * 10.0 ** (gains_db[one.stem.stem_id] / 10.0)
    lead = next(one for one in session.stems if one.role == "vocal")
    factor = 10.0 ** (gains_db[lead.stem.stem_id] / 10.0)
    return lead_to_rest_lu(lead.trace._replace(energies=lead.trace.energies * factor), others)


def _sounds(found: list[Material], folder: Path) -> list[Row]:
    """Bark and feature distances, from the sound of the sums."""
    barks: dict[str, list[float]] = {}
    distances: dict[str, list[float]] = {}
    for material in found:
        if material.tuned:
            continue
        for name, bark, distance in _sound(material, folder):
            barks.setdefault(name, []).append(bark)
            distances.setdefault(name, []).append(distance)
    means = {name: float(np.mean(each)) for name, each in barks.items()}
    said = ", ".join(f"{name} {mean:.2f}" for name, mean in means.items())
    below = all(means[OURS] < mean for name, mean in means.items() if name != OURS)
    peers = [name for name in distances if name != OURS]
    wins = np.mean([all(distances[OURS][k] < distances[p][k] for p in peers) for k in range(len(distances[OURS]))])
    said_too = ", ".join(f"{name} {np.mean(each):.2f}" for name, each in distances.items())
    return [
        Row(
            7,
            "Bark distance to the person's mix, dB",
            "<= 0.6, below both baselines",
            said,
            below and means[OURS] <= 0.6,
        ),
        Row(
            8,
            "Diff-MST features: nearer than all peers",
            ">= 75%",
            f"{100 * wins:.0f}% (means: {said_too})",
            bool(wins >= 0.75),
        ),
    ]


def _sound(material: Material, folder: Path) -> list[tuple[str, float, float]]:
    """Of everybody, the means over the seeds: Bark distance and feature distance."""
    audio, rate_hz = audio_of(material)
    names = sorted(audio)
    stacked = np.stack([audio[name] for name in names])
    session = session_of(material)
    truth = features(stacked.sum(axis=0), rate_hz)
    found: dict[str, list[tuple[float, float]]] = {}
    for seed in SLOW_SEEDS:
        spoil = spoils_db(material, seed)
        one = spoiled(session, spoil)
        gains = {OURS: ours(one), PLAIN: plain_sum(one), EQUAL: equal_loudness(one)}
        if has_libsonare(folder):
            gains[PEER] = libsonare(material, [spoil], folder)[0]
        for name, each in gains.items():
            heard = _summed(stacked, [errors_db(each, spoil)[stem] for stem in names], rate_hz)
            found.setdefault(name, []).append((bark_distance_db(heard, truth), feature_distance(heard, truth)))
    return [(name, *np.mean(each, axis=0).tolist()) for name, each in found.items()]


def _summed(stacked: Floats, gains_db: list[float], rate_hz: int) -> Features:
    factors = np.array([10.0 ** (gain_db / 20.0) for gain_db in gains_db], np.float32)
    return features(np.tensordot(factors, stacked, axes=1), rate_hz)


def main() -> int:
    """Prints the rows; with `--each`, every session before them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--each", action="store_true")
    options = parser.parse_args()
    for material in sessions(options.folder) if options.each else ():
        one = measured(material, options.folder)
        said = ", ".join(f"{name} {each.mae_lu:.2f}/{each.max_lu:.1f}" for name, each in one.balances.items())
        half = "tuned on" if material.tuned else "kept"
        print(f"{material.kind:4} {material.name:38} {half:8} {len(material.stems()):2} stems: {said};", end=" ")
        print(f"left alone {one.left_alone.mae_lu:.2f}/{one.left_alone.max_lu:.1f}", end="; ")
        print(f"with reference {one.referenced.mae_lu:.2f}/{one.referenced.max_lu:.1f}", flush=True)
    print(table(rows(options.folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
