"""Profiles: the built-in ones are whole and sourced; a wrong one is told by file, line, and what was probably meant."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from decisions.profile_files import FOLDER, built_in, load_profile, profile_texts
from decisions.taste_files import STYLES
from schemas.errors import CatalogueError
from schemas.limits import Limit
from schemas.profile import Profile

BASED = 'based_on = "streaming"\nname = "mine"\ndescription = "Mine"\n'


def write(folder: Path, text: str, name: str = "mine.toml") -> str:
    path = folder / name
    path.write_bytes(text.encode())
    return str(path)


def problems(folder: Path, text: str, code: str = "PROFILE_INVALID") -> list[str]:
    with pytest.raises(CatalogueError, match=r"\S") as caught:
        load_profile(write(folder, text))
    assert code == caught.value.code
    return caught.value.problems


# Built-in profiles


@pytest.mark.parametrize("name", built_in())
def test_every_built_in_profile_loads_under_its_own_name(name):
    assert load_profile(name).name == name


def test_the_built_in_profiles_are_known_by_name():
    assert {"streaming", "cd", "dynamic", "loud", "broadcast-r128", "vinyl", "podcast", "audiobook", "club"} == set(
        built_in()
    )


@pytest.mark.parametrize("name", built_in())
def test_every_number_of_a_built_in_profile_has_its_source_beside_it(name):
    lines = (FOLDER / f"{name}.toml").read_text(encoding="utf-8").splitlines()
    bare = [
        line
        for above, line in zip(["", *lines], lines, strict=False)
        if re.match(r"\w+ = .*\d", line) and not line.startswith(("name", "description"))
        if "#" not in line and not above.startswith("#")
    ]
    assert bare == []


@pytest.mark.parametrize("name", built_in())
def test_a_built_in_profile_says_its_target_and_ceiling_in_its_description(name):
    profile = load_profile(name)
    assert f"{profile.loudness.target_lufs:g} LUFS" in profile.description
    assert f"{profile.limiter.ceiling_dbtp:g} dBTP" in profile.description


# Style, norm and references


def test_a_profile_may_name_a_style_a_norm_and_references_that_stand_beside_it(tmp_path):
    (tmp_path / "mine").mkdir()
    style = (STYLES.folder / "warm.toml").read_text().replace('name = "warm"', 'name = "house"')
    (tmp_path / "mine" / "house.toml").write_text(style)
    text = 'name = "mine"\nstyle = "house.toml"\nreferences = ["one.flac", "gs://label/two.flac"]\n'
    found = load_profile(str(write(tmp_path / "mine", 'based_on = "streaming"\n' + text)))
    assert (found.taste.name, found.expected.name) == ("house", "popular")
    assert found.references == (str(tmp_path / "mine" / "one.flac"), "gs://label/two.flac")


@pytest.mark.parametrize(
    ("text", "code"), [('style = "wram"\n', "STYLE_UNKNOWN"), ('[tone]\nnorm = "poplar"\n', "NORM_UNKNOWN")]
)
def test_an_unknown_style_or_norm_is_refused(tmp_path, text, code):
    with pytest.raises(CatalogueError) as caught:
        load_profile(str(write(tmp_path, BASED + text)))
    assert caught.value.code == code


@pytest.mark.parametrize("field", ["taste", "expected", "targets"])
def test_what_has_a_file_of_its_own_is_not_written_in_a_profile(tmp_path, field):
    assert any(f'unknown key "{field}"' in problem for problem in problems(tmp_path, BASED + f"[{field}]\n"))


# Based on another


def test_a_profile_changes_only_what_differs(tmp_path):
    path = write(tmp_path, BASED + "[loudness]\ntarget_lufs = -12\n")
    mine, base = load_profile(path), load_profile("streaming")
    assert mine.loudness.target_lufs == -12.0
    assert (mine.loudness.max_gain_db, mine.limiter, mine.delivery) == (
        base.loudness.max_gain_db,
        base.limiter,
        base.delivery,
    )


def test_deliveries_are_replaced_not_added(tmp_path):
    path = write(tmp_path, BASED + '[[delivery]]\nname = "one"\ncontainer = "wav"\nbits = 16\n')
    assert [delivery.name for delivery in load_profile(path).delivery] == ["one"]


def test_a_profile_can_stand_on_one_beside_it(tmp_path):
    write(tmp_path, BASED + "[loudness]\ntarget_lufs = -12.0\n", "label.toml")
    path = write(tmp_path, 'based_on = "label.toml"\nname = "mine"\n')
    assert load_profile(path).loudness.target_lufs == -12.0


def test_the_texts_of_a_profile_are_its_own_and_all_it_stands_on(tmp_path):
    write(tmp_path, BASED, "label.toml")
    path = write(tmp_path, 'based_on = "label.toml"\nname = "mine"\n')
    assert ["streaming.toml", "label.toml", "mine.toml"] == [name for name, _ in profile_texts(path)]


def test_profiles_in_a_circle_are_refused(tmp_path):
    write(tmp_path, 'based_on = "mine.toml"\n', "other.toml")
    assert ["mine.toml: based_on 'other.toml' leads in a circle or is no name"] == problems(
        tmp_path, 'based_on = "other.toml"\n'
    )


@pytest.mark.parametrize("base", ["3", "true", '["cd"]'])
def test_a_base_that_is_no_name_is_refused(tmp_path, base):
    (problem,) = problems(tmp_path, f"based_on = {base}\n")
    assert "leads in a circle or is no name" in problem


def test_a_base_that_does_not_exist_is_refused(tmp_path):
    (problem,) = problems(tmp_path, 'based_on = "steaming"\n', "PROFILE_UNKNOWN")
    assert 'did you mean "streaming"?' in problem


# Unknown keys, with line and suggestion


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('nmae = "x"\n', 'mine.toml, line 4: unknown key "nmae"; did you mean "name"?'),
        (
            "[loudness]\n\ntarget_lusf = -14.0\n",
            'mine.toml, line 6: unknown key "target_lusf" in [loudness]; did you mean "target_lufs"?',
        ),
        (
            "[compressor]\nratio = 2.0\n",
            'mine.toml, line 5: unknown key "ratio" in [compressor]; did you mean "compression_ratio"?',
        ),
        (
            '[[delivery]]\nname = "a"\ncontainer = "wav"\nbit = 16\n',
            'mine.toml, line 7: unknown key "bit" in [delivery]; did you mean "bits"?',
        ),
        ("[lodness]\ntarget_lufs = -14.0\n", 'mine.toml, line 4: unknown key "lodness"; did you mean "loudness"?'),
    ],
)
def test_an_unknown_key_is_told_with_its_line_and_what_was_meant(tmp_path, text, expected):
    (problem,) = problems(tmp_path, BASED + text)
    assert problem == expected or (problem.startswith(expected[: expected.index(";")]) and "known are" in problem)


def test_all_unknown_keys_are_told_at_once(tmp_path):
    found = problems(tmp_path, BASED + "[loudness]\nfoo = 1\nbar = 2\n[tone]\nbaz = 3\n")
    assert [5, 6, 8] == [int(re.findall(r"line (\d+)", problem)[0]) for problem in found]


# Values


@pytest.mark.parametrize(
    ("text", "line", "value"),
    [
        ("[loudness]\ntarget_lufs = -41.0\n", 5, "loudness.target_lufs"),
        ("[loudness]\ntarget_lufs = -3.9\n", 5, "loudness.target_lufs"),
        ("[loudness]\ntarget_lufs = nan\n", 5, "loudness.target_lufs"),
        ('[loudness]\nmode = "albums"\n', 5, "loudness.mode"),
        ("[loudness]\ntolerance_lu = 0.0\n", 5, "loudness.tolerance_lu"),
        ('[limiter]\nrelease_s = 0.1\nceiling_dbtp = "0"\n', 6, "limiter.ceiling_dbtp"),
        ("[limiter]\nceiling_dbtp = 0.1\n", 5, "limiter.ceiling_dbtp"),
        ("[limiter]\nlookahead_s = 2\n", 5, "limiter.lookahead_s"),
        ("[tone]\nmax_db = 13.0\n", 5, "tone.max_db"),
        ('intensity = "full"\n', 4, "intensity"),
        ("[carrier]\nlowpass_hz = 200\n", 5, "carrier.lowpass_hz"),
        ("[cleaning]\ncutoff_hz = 0\n", 5, "cleaning.cutoff_hz"),
        ("[source]\nmax_channels = 3\n", 5, "source.max_channels"),
        ('[[delivery]]\nname = "a"\ncontainer = "wav"\nbits = 20\n', 7, "delivery.bits"),
        ('[[delivery]]\nname = "A!"\ncontainer = "wav"\nbits = 16\n', 5, "delivery.name"),
        ('[[delivery]]\nname = "a"\ncontainer = "mp3"\nbits = 16\n', 6, "delivery.container"),
    ],
)
def test_a_value_out_of_range_is_told_with_its_line(tmp_path, text, line, value):
    (problem,) = problems(tmp_path, BASED + text)
    assert problem.startswith(f"mine.toml, line {line}: {value}: ")


def test_a_wrong_second_delivery_is_told_by_its_own_line(tmp_path):
    good, bad = ('[[delivery]]\nname = "{}"\ncontainer = "wav"\nbits = {}\n'.format(*v) for v in (("a", 16), ("b", 20)))
    (problem,) = problems(tmp_path, BASED + good + bad)
    assert problem.startswith("mine.toml, line 11: delivery.bits: ")


def test_a_wrong_value_in_the_base_is_told_by_the_base_s_line(tmp_path):
    write(tmp_path, BASED + "[loudness]\ntarget_lufs = 5.0\n", "label.toml")
    (problem,) = problems(tmp_path, 'based_on = "label.toml"\nname = "mine"\n')
    assert problem.startswith("label.toml, line 5: loudness.target_lufs: ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[source]\nmin_rate_hz = 96000\nmax_rate_hz = 48000\n", "source.min_rate_hz must not exceed"),
        (
            '[[delivery]]\nname = "a"\ncontainer = "wav"\nbits = 16\n[[delivery]]\nname = "a"\ncontainer = "flac"\nbits = 24\n',
            "each delivery needs a name of its own, got a, a",
        ),
    ],
)
def test_values_that_do_not_fit_together_are_told(tmp_path, text, expected):
    (problem,) = problems(tmp_path, BASED + text)
    assert expected in problem


def test_a_profile_that_lacks_a_table_is_refused(tmp_path):
    (problem,) = problems(tmp_path, 'name = "mine"\ndescription = "Mine"\n')
    assert "missing required field" in problem


@pytest.mark.parametrize(
    "text", ["delivery = 3", "loudness = 3", 'tone = "flat"', "[delivery]\nname = 'a'", "delivery = []"]
)
def test_a_table_that_is_none_is_refused(tmp_path, text):
    (problem,) = problems(tmp_path, BASED + text + "\n")
    assert re.match(r"mine\.toml, line 4: (delivery|loudness|tone)", problem)


# Files


@pytest.mark.parametrize("text", ["name = ", "[loudness", "= 3", "name = 'a'\nname = 'b'\n"])
def test_what_is_no_toml_is_told_with_the_line(tmp_path, text):
    (problem,) = problems(tmp_path, text)
    assert re.search(r"mine\.toml: .*(line \d|end of document)", problem)


def test_a_byte_order_mark_is_no_error(tmp_path):
    assert load_profile(write(tmp_path, "\ufeff" + BASED)).name == "mine"


def test_windows_line_ends_are_no_error(tmp_path):
    (problem,) = problems(tmp_path, (BASED + "[loudness]\ntarget_lufs = 0\n").replace("\n", "\r\n"))
    assert problem.startswith("mine.toml, line 5: ")


def test_a_file_that_is_no_text_is_told(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CatalogueError, match="mine.toml cannot be read"):
        load_profile(str(path))


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(CatalogueError, match="cannot be read") as caught:
        load_profile(str(tmp_path / "none.toml"))
    assert caught.value.code == "PROFILE_UNREADABLE"


@pytest.mark.parametrize(("name", "meant"), [("steaming", "streaming"), ("Loud", "loud"), ("CD", None), ("", None)])
def test_an_unknown_name_is_told_with_what_was_meant(name, meant):
    with pytest.raises(CatalogueError, match=f'no profile "{name}" among audiobook, broadcast-r128, cd') as caught:
        load_profile(name)
    assert caught.value.code == "PROFILE_UNKNOWN"
    assert meant is None or f'did you mean "{meant}"?' in str(caught.value)


def test_a_loaded_profile_is_a_profile():
    assert isinstance(load_profile("streaming"), Profile)


# Limits


def test_limits_are_merged_bound_by_bound(tmp_path):
    mine = load_profile(write(tmp_path, BASED + "[limits]\nmono_loss_lu = { warn_above = 4.0 }\n"))
    base = load_profile("streaming")
    assert mine.limits["mono_loss_lu"] == Limit(warn_above=4.0, fail_above=base.limits["mono_loss_lu"].fail_above)
    assert {**mine.limits, "mono_loss_lu": None} == {**base.limits, "mono_loss_lu": None}


@pytest.mark.parametrize("text", ["[limits]\nclicks = { fail_above = 20 }", "[limits.clicks]\nfail_above = 20"])
def test_a_limit_may_be_a_line_or_a_table(tmp_path, text):
    assert load_profile(write(tmp_path, BASED + text)).limits["clicks"] == Limit(warn_above=0, fail_above=20)


def test_a_limit_can_be_switched_off_and_on_again(tmp_path):
    off = write(tmp_path, BASED + "[limits]\nclicks = false\n", "off.toml")
    on = write(tmp_path, BASED.replace("streaming", "off.toml") + "[limits]\nclicks = { info_above = 3 }\n")
    assert "clicks" not in load_profile(off).limits
    assert load_profile(on).limits["clicks"] == Limit(info_above=3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "[limits]\n\nclick = { warn_above = 0 }",
            'line 6: unknown measure "click" in [limits]; did you mean "clicks"?',
        ),
        (
            "[limits]\nclicks = { warn_over = 0 }",
            'line 5: unknown bound "warn_over" of clicks; did you mean "warn_above"?',
        ),
        ("[limits.click]\nwarn_above = 0", 'line 4: unknown measure "click" in [limits]'),
        ("[limits.clicks]\nwarn_over = 0", 'line 4: unknown bound "warn_over" of clicks'),
        ('[limits]\nclicks = { warn_above = "0" }', "line 5: limits.clicks.warn_above: "),
        ("[limits]\nclicks = { warn_above = nan }", "line 5: limits.clicks.warn_above: "),
        ("[limits]\nclicks = 3", "line 5: limits.clicks: give bounds"),
        ("[limits]\nclicks = true", "line 5: limits.clicks: give bounds"),
        ("limits = 3", "line 4: limits: "),
        (
            "[limits]\nclicks = { warn_above = 5, fail_above = 3 }",
            "line 5: limits.clicks: warn_above = 5 must not exceed fail_above = 3",
        ),
        (
            "[limits]\nclicks = { warn_below = 3 }",  # against the base's warn_above = 0
            "line 5: limits.clicks: no number is neither below 3 nor above 0",
        ),
    ],
)
def test_a_wrong_limit_is_told_with_its_line(tmp_path, text, expected):
    (problem,) = problems(tmp_path, BASED + text + "\n")
    assert problem.startswith("mine.toml") and expected in problem


def test_all_wrong_limits_are_told_at_once(tmp_path):
    found = problems(tmp_path, BASED + "[limits]\nfoo = { warn_above = 0 }\nclicks = { foo = 0 }\n[tone]\nbaz = 3\n")
    assert [5, 6, 8] == sorted(int(re.findall(r"line (\d+)", problem)[0]) for problem in found)


def test_a_profile_without_limits_is_refused(tmp_path):
    (problem,) = problems(tmp_path, _standalone(limits=False))
    assert "missing required field `limits`" in problem


def _standalone(limits: bool) -> str:
    text = (FOLDER / "streaming.toml").read_text(encoding="utf-8")
    return text if limits else re.sub(r"(?ms)^\[limits\]$.*?(?=^\[\[delivery)", "", text)


# Targets


def delivery(*targets: str) -> str:
    names = ", ".join(f'"{target}"' for target in targets)
    return BASED + f'[[delivery]]\nname = "one"\ncontainer = "flac"\nbits = 24\ntargets = [{names}]\n'


def test_a_profile_carries_the_targets_that_its_deliveries_name(tmp_path):
    mine = load_profile(write(tmp_path, delivery("spotify", "cd")))
    assert {"spotify", "cd"} == set(mine.targets) == set(mine.delivery[0].targets)
    assert mine.targets["spotify"].title == "Spotify"


def test_a_target_of_one_s_own_is_found_beside_the_profile(tmp_path):
    text = (FOLDER.parent / "targets" / "tidal.toml").read_text(encoding="utf-8").replace('"tidal"', '"house"')
    write(tmp_path, text, "house.toml")
    mine = load_profile(write(tmp_path, delivery("house.toml")))
    (named,) = mine.delivery[0].targets
    assert mine.targets[named].name == "house"


def test_a_profile_elsewhere_still_finds_the_targets_of_its_base(tmp_path):
    text = (FOLDER.parent / "targets" / "tidal.toml").read_text(encoding="utf-8")
    (tmp_path / "base").mkdir()
    write(tmp_path / "base", text, "house.toml")
    write(tmp_path / "base", delivery("house.toml"), "label.toml")
    mine = load_profile(write(tmp_path, 'based_on = "base/label.toml"\n'))
    assert [target.name for target in mine.targets.values()] == ["tidal"]


@pytest.mark.parametrize(("named", "code"), [("spotfy", "TARGET_UNKNOWN"), ("none.toml", "TARGET_UNREADABLE")])
def test_a_target_that_is_not_there_is_told(tmp_path, named, code):
    (problem,) = problems(tmp_path, delivery(named), code)
    assert named in problem


def test_targets_are_not_written_into_a_profile(tmp_path):
    (problem,) = problems(tmp_path, BASED + "[targets]\n")
    assert 'unknown key "targets"' in problem


@pytest.mark.parametrize(("text", "expected"), [("", False), ("[loudness]\ndual_mono = true\n", True)])
def test_a_profile_may_count_mono_as_two_equal_channels(tmp_path, text, expected):
    assert load_profile(write(tmp_path, BASED + text)).loudness.dual_mono is expected
