"""Limits and rules on sources and masters: what is said, what is not said twice, and never what a gapless join would excuse."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from decisions.checks import breaches, check_rows, checks_of, findings_of, new_since, target_findings, target_result
from decisions.findings import source_findings, track_findings
from decisions.measures import MEASURES
from decisions.profile_files import load_profile
from decisions.target_files import load_target
from schemas.figures import Analysis
from schemas.limits import Limit, Rule, Target
from schemas.plan import Neighbour
from schemas.profile import Delivery
from schemas.qc import Finding
from tests.decisions.records import analysis, master, mastered, profile, showing

PROFILE = profile()
NEIGHBOUR = (Neighbour(uri="/sources/2.wav", sha256="0" * 64, first_frame=0, frames=220_500),)
CUT = showing("first_samples_dbfs", -10.0, showing("last_samples_dbfs", -10.0))


def limited(**limits: dict[str, float]) -> Any:
    return profile(limits={name: Limit(**bounds) for name, bounds in limits.items()})


def codes(found: Any) -> list[str]:
    return [one.code for one in found]


def target(*rules: Rule, name: str = "mine") -> Target:
    return Target(name=name, title="Mine", date="2026-01", source="me", confidence="primary", rule=rules)


def told(rule: Rule, found: Analysis) -> list[str]:
    return [one.text for one in breaches(target(rule), found)]


def test_no_target_takes_silence_whatever_its_rules_are():
    silent = showing("silent", 1.0)
    assert told(Rule(measure="true_peak_dbtp", fail_above=0), silent) == ["silent throughout 1, rule: at most 0"]
    assert told(Rule(measure="true_peak_dbtp", fail_above=0), analysis()) == []


@pytest.mark.parametrize("name", ["FLAC", "Flac", "flac"])
def test_a_container_is_named_in_any_case(name):
    assert told(Rule(measure="container", one_of=(name,)), analysis(file={"container": "FLAC"})) == []


# Limits on a source

ALL_BOUNDS = [(name, bound) for name, limit in PROFILE.limits.items() for bound in limit.bounds()]


@pytest.mark.parametrize(("name", "bound"), ALL_BOUNDS, ids=lambda one: str(one))
def test_every_limit_of_the_usual_profile_can_be_crossed_and_kept(name, bound):
    step = 10.0 ** -MEASURES[name].digits * (1 if bound.side == "above" else -1)
    code = MEASURES[name].above if bound.side == "above" else MEASURES[name].below
    beyond, inside = (
        [one for one in source_findings(showing(name, value), PROFILE) if one.code == code]
        for value in (bound.bound + step, bound.bound)
    )
    assert [bound.level] == [one.severity for one in beyond]
    assert bound.level not in [one.severity for one in inside]
    assert beyond[0].limit == bound.bound and beyond[0].measured == pytest.approx(bound.bound + step)


def test_clean_music_is_not_spoken_of():
    assert source_findings(analysis(), PROFILE) == ()


def test_a_profile_may_judge_any_measure():
    (found,) = source_findings(showing("loudness_range_lu", 21.0), limited(loudness_range_lu={"fail_above": 20}))
    assert (found.code, found.severity, found.text) == (
        "LIMIT_CROSSED", "fail", "loudness range 21.0 LU; limit 20 LU",
    )  # fmt: skip


def test_a_side_without_a_code_of_its_own_has_the_general_one():
    found = source_findings(showing("correlation", -0.5), limited(correlation={"warn_below": 0}))
    assert (codes(found), found[0].text) == (["LIMIT_CROSSED"], "correlation of left and right -0.5000; limit 0")


def test_one_kind_of_fault_is_told_once_by_its_severest_measure():
    limits = limited(psr_min_lu={"info_below": 8}, limited_ratio={"warn_above": 0.5})
    crushed = showing("psr_min_lu", 4.0, showing("limited_ratio", 0.9))
    found = source_findings(crushed, limits)
    assert (codes(found), found[0].severity, found[0].measured) == (["HEAVILY_LIMITED"], "warn", 0.9)


def test_measures_with_the_general_code_are_told_one_by_one():
    limits = limited(loudness_range_lu={"warn_above": 20}, crest_db={"warn_above": 20})
    found = source_findings(showing("crest_db", 25.0, showing("loudness_range_lu", 25.0)), limits)
    assert codes(found) == ["LIMIT_CROSSED", "LIMIT_CROSSED"]


def test_what_was_not_measured_is_not_judged():
    assert checks_of(analysis(), {"psr_min_lu": Limit(fail_below=100)}) == []


def test_a_check_that_passed_is_written_down():
    (row,) = check_rows(
        checks_of(showing("mono_loss_lu", 1.24), {"mono_loss_lu": Limit(warn_above=3, fail_above=6)}), "cd"
    )
    assert (row.subject, row.measure, row.value, row.unit) == ("cd", "mono_loss_lu", 1.2, "LU")
    assert (row.severity, row.limits) == ("passed", "fail above 6, warn above 3")


def test_places_come_with_a_finding():
    (found,) = source_findings(showing("clicks", 2), PROFILE)
    assert (found.at_s, found.text) == ((1.0,), "2 clicks, the worst 2 dB above its surroundings, the first at 1.00 s")


# Limits on masters


def of_track(source: Analysis, *masters: Analysis, **planned: Any) -> list[Finding]:
    """Findings of a track, but for those about targets."""
    made = [replace(master(delivery=f"d{number}"), proof=proof) for number, proof in enumerate(masters)]
    return list(track_findings(mastered(1, *made, source=source, **planned), PROFILE))


GOOD = master().proof


def test_what_the_source_has_is_not_repeated_for_its_masters():
    found = of_track(showing("clicks", 3), showing("clicks", 3, GOOD), showing("clicks", 5, GOOD))
    assert (codes(found), found[0].text.startswith("3 clicks")) == (["CLICKS"], True)


def test_what_is_new_in_a_master_is_told_with_its_delivery():
    found = of_track(analysis(), GOOD, showing("clicks", 3, GOOD))
    assert (codes(found), found[0].text.startswith("d1: 3 clicks")) == (["CLICKS"], True)


def test_what_is_worse_in_a_master_is_told_again():
    found = of_track(showing("imbalance_lu", 4.0), showing("imbalance_lu", 8.0, GOOD))
    assert [("CHANNEL_WEAK", "warn"), ("CHANNEL_WEAK", "info")] == [(one.code, one.severity) for one in found]


def test_another_measure_of_the_same_fault_is_not_new():
    before = checks_of(showing("psr_min_lu", 3.0), {"psr_min_lu": Limit(warn_below=8)})
    after = checks_of(showing("limited_ratio", 0.9), {"limited_ratio": Limit(warn_above=0.5)})
    assert new_since(before, after) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lossy", 1),
        ("channels", 1),
        ("unused_bits", 8),
        ("upsampled_from_hz", 44_100),
        ("transcode_level", 2),
        ("flat_tops", 3),
    ],
)
def test_a_master_is_not_blamed_for_how_its_source_was_made(name, value):
    assert of_track(analysis(), showing(name, value, GOOD)) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((), (), {"ABRUPT_START", "ABRUPT_END"}),
        (NEIGHBOUR, (), {"ABRUPT_END"}),
        ((), NEIGHBOUR, {"ABRUPT_START"}),
        (NEIGHBOUR, NEIGHBOUR, set()),
    ],
)
def test_a_gapless_join_is_no_cut(before, after, expected):
    cut_master = showing("first_samples_dbfs", -10.0, showing("last_samples_dbfs", -10.0, GOOD))
    flac = replace(master(delivery="flac24"), proof=cut_master)
    for source in (CUT, analysis()):
        found = track_findings(mastered(1, flac, source=source, before=before, after=after), PROFILE)
        assert expected == set(codes(found))


# Rules of targets

PEAK = Rule(measure="true_peak_dbtp", warn_above=-2, fail_above=-1)


@pytest.mark.parametrize(
    ("rule", "found", "expected"),
    [
        (PEAK, showing("true_peak_dbtp", -0.6), ["true peak -0.6 dBTP, rule: at most -1 dBTP"]),
        (PEAK, showing("true_peak_dbtp", -1.6), ["true peak -1.6 dBTP, rule: at most -2 dBTP"]),
        (PEAK, showing("true_peak_dbtp", -2.0), []),
        (PEAK, analysis(peak_dbtp=None), []),
        (Rule(measure="bits", one_of=(16.0, 24.0)), showing("bits", 32), ["bits 32, rule: 16 or 24"]),
        (Rule(measure="bits", one_of=(16.0, 24.0)), showing("bits", 24), []),
        (Rule(measure="rate_hz", one_of=(44_100.0,)), showing("rate_hz", 96_000), ["rate 96000 Hz, rule: 44100 Hz"]),
        (Rule(measure="duration_s", fail_below=4), showing("duration_s", 3.2), ["length 3.2 s, rule: at least 4 s"]),
        (Rule(measure="container", one_of=("flac",)), analysis(), ["container wav, rule: flac"]),
        (Rule(measure="container", one_of=("flac", "wav")), analysis(), []),
        (Rule(measure="container", one_of=("flac",)), analysis(file={"container": "FLAC"}), []),
    ],
)  # fmt: skip
def test_a_rule_that_is_broken_is_told_exactly(rule, found, expected):
    assert expected == told(rule, found)


@pytest.mark.parametrize(
    ("lufs", "expected"),
    [
        (-13.9, ["true peak -1.0 dBTP, rule: at most -2 dBTP where louder than -14 LUFS"]),
        (-13.96, []),  # printed as -14.0
        (-14.0, []),
        (-20.0, []),
    ],
)
def test_a_rule_for_loud_files_leaves_others_alone(lufs, expected):
    rule = Rule(measure="true_peak_dbtp", fail_above=-2, when_louder_than_lufs=-14)
    found = showing("true_peak_dbtp", -1.0)
    assert expected == told(rule, replace(found, figures=replace(found.figures, integrated_lufs=lufs)))


@pytest.mark.parametrize("level", ["fail", "warn", "info"])
def test_what_breaking_a_rule_leads_to_is_the_rule_s_own_choice(level):
    rules = (Rule(measure="bits", one_of=(16.0,), otherwise=level), Rule(measure="rate_hz", **{f"{level}_above": 1.0}))
    result = target_result(target(*rules), breaches(target(*rules), analysis()))
    told = {"fail": result.failed, "warn": result.risks, "info": result.advice}
    assert [len(told.pop(level)), *map(len, told.values())] == [2, 0, 0]
    assert result.passed is (level != "fail")


@pytest.mark.parametrize(("level", "code"), [("fail", "SPEC_FAILED"), ("warn", "SPEC_RISK"), ("info", None)])
def test_advice_is_no_finding(level, code):
    rule = Rule(measure="true_peak_dbtp", why="it clips", **{f"{level}_above": -1.0})
    found = target_findings(breaches(target(rule), showing("true_peak_dbtp", -0.6)), (), "flac24")
    assert [code] * (code is not None) == codes(found)
    if found:
        assert found[0].text == "flac24 for mine (2026-01): true peak -0.6 dBTP, rule: at most -1 dBTP; it clips"
        assert (found[0].measured, found[0].limit, found[0].unit) == (-0.6, -1.0, "dBTP")


def test_targets_with_the_same_rule_are_told_together():
    rule, loud = Rule(measure="true_peak_dbtp", warn_above=-1.0), showing("true_peak_dbtp", 0.0)
    broken = [one for name in ("one", "two") for one in breaches(target(rule, name=name), loud)]
    (found,) = target_findings(broken, (), "cd")
    assert found.text == "cd for one (2026-01), two (2026-01): true peak 0.0 dBTP, rule: at most -1 dBTP"


def with_target(*rules: Rule) -> Any:
    delivery = Delivery(name="cd", container="wav", bits=16, targets=("mine",))
    return replace(PROFILE, delivery=(delivery,), targets={"mine": target(*rules)})


@pytest.mark.parametrize(("level", "expected"), [("warn", []), ("fail", ["SPEC_FAILED"])])
def test_a_risk_that_a_finding_of_its_own_tells_is_not_told_twice_but_a_failure_is(level, expected):
    chosen = with_target(Rule(measure="clicks", **{f"{level}_above": 0.0}))
    one = mastered(1, replace(master(), proof=showing("clicks", 3, GOOD)), source=showing("clicks", 3))
    assert sorted([*expected, "CLICKS"]) == sorted(codes(track_findings(one, chosen)))


def test_a_delivery_without_targets_is_held_against_none():
    one = mastered(1, master(peak_dbtp=-1.0, delivery="other"))
    assert track_findings(one, with_target(Rule(measure="bits", one_of=(1.0,)))) == ()


# The targets of the usual profile

FLAC = {"container": "FLAC"}


def of_flac(**changes: Any) -> list[Finding]:
    return list(track_findings(mastered(1, master(delivery="flac24", file=FLAC, **changes)), PROFILE))


def test_a_usual_master_passes_every_target_of_its_profile():
    assert of_flac() == []


def test_a_master_that_is_too_hot_for_spotify_names_the_rule():
    result = target_result(spotify := load_target("spotify"), breaches(spotify, master(peak_dbtp=-0.6).proof))
    assert (result.passed, result.failed) == (False, ("true peak -0.6 dBTP, rule: at most -1 dBTP",))
    texts = [one.text for one in of_flac(peak_dbtp=-0.6, ceiling_dbtp=-0.5) if one.code == "SPEC_FAILED"]
    assert texts == [
        "flac24 for spotify (2026-11): true peak -0.6 dBTP, rule: at most -1 dBTP; lossy coding raises the peaks"
    ]


def test_a_master_just_at_its_ceiling_passes_spotify():
    found = load_target("spotify")
    assert target_result(found, breaches(found, master(peak_dbtp=-0.96).proof)).passed


def test_a_loud_album_track_is_no_finding_but_advice():
    loud = master(-12.0, delivery="flac24", file=FLAC)
    result = target_result(spotify := load_target("spotify"), breaches(spotify, loud.proof))
    assert (result.passed, len(result.advice)) == (True, 1)
    assert "SPEC_RISK" not in codes(of_flac(lufs=-12.0))


def test_a_mono_master_is_refused_by_distributors_and_told_how_to_mend_it():
    mono = {"channels": 1, **FLAC}
    one = mastered(1, master(delivery="flac24", file=mono), source=analysis(file={"channels": 1}))
    (failed, said) = track_findings(one, PROFILE)
    assert (failed.code, failed.severity, said.code) == ("SPEC_FAILED", "fail", "MONO_SOURCE")
    assert "distributor (2026-11), spotify (2026-11)" in failed.text and "two equal channels" in failed.text


def test_a_cut_master_at_a_join_is_no_risk_for_distributors():
    proof = showing("last_samples_dbfs", -10.0, master(file=FLAC).proof)
    one = mastered(1, replace(master(delivery="flac24"), proof=proof), after=NEIGHBOUR)
    assert [code for code in codes(track_findings(one, PROFILE)) if code.startswith("SPEC_RISK")] == []


@pytest.mark.parametrize("name", ["streaming", "loud", "dynamic", "cd", "broadcast-r128"])
def test_no_built_in_profile_fails_its_own_masters(name):
    chosen = load_profile(name)
    for delivery in chosen.delivery:
        rate_hz = delivery.rate_hz or 44_100
        proof = analysis(
            chosen.loudness.target_lufs,
            peak_dbtp=chosen.limiter.ceiling_dbtp,
            file={
                "bits": delivery.bits,
                "container": delivery.container.upper(),
                "rate_hz": rate_hz,
                "frames": 180 * rate_hz,
            },
        )
        held = [chosen.targets[one] for one in delivery.targets]
        assert held and [target_result(one, breaches(one, proof)).failed for one in held] == [()] * len(held)


def test_findings_of_one_subject_carry_its_name():
    checks = checks_of(showing("clicks", 1), PROFILE.limits)
    assert [one.text.startswith("wav16: 1 click") for one in findings_of(checks, showing("clicks", 1), "wav16")] == [
        True
    ]
