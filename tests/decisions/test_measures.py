"""Measures: each has a value where there is something to judge and None where not, words of its own, and codes that are known."""

from __future__ import annotations

import math

import pytest
from msgspec.structs import replace

from decisions.measures import MEASURES, NAMES, measured, text_of
from dsp.audio import to_gain
from dsp.detectors.sightings import Sightings
from dsp.edges import Edge
from dsp.gating import GatingBlocks
from schemas.codes import CODES
from schemas.detected import Detected
from schemas.figures import Figures
from tests.decisions.records import analysis, showing

SILENT = analysis(gating=GatingBlocks(), figures=Figures(), offset_ratio=(0.0, 0.0), file={"frames": 0})
EXAMPLES = {"bits": 16.0, "channels": 1.0, "rate_hz": 48_000.0, "duration_s": 12.5, "correlation": -0.25}


def example(name: str) -> float:
    return EXAMPLES.get(name, 1.0 if MEASURES[name].digits == 0 else 0.5)


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_reads_what_was_measured(name):
    assert measured(name, showing(name, example(name))) == example(name)


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_of_silence_is_a_number_or_nothing(name):
    value = measured(name, SILENT)
    assert value is None or math.isfinite(value)


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_has_words_and_its_number_in_them(name):
    text = text_of(name, 7.0)
    assert text.startswith(MEASURES[name].words) and " 7" in text and text.endswith(MEASURES[name].unit)


@pytest.mark.parametrize("name", MEASURES)
def test_every_code_of_a_measure_is_explained(name):
    assert {MEASURES[name].above, MEASURES[name].below} <= set(CODES)


@pytest.mark.parametrize("name", [name for name, one in MEASURES.items() if one.says])
def test_a_measure_with_a_sentence_of_its_own_says_one_about_anything(name):
    for found in (showing(name, example(name)), SILENT):
        said = MEASURES[name].says(found)
        assert said and "nan" not in said and "None" not in said.replace("None bits", "")


def test_a_number_is_compared_as_it_is_printed():
    assert measured("true_peak_dbtp", showing("true_peak_dbtp", -0.96)) == -1.0
    assert text_of("true_peak_dbtp", -0.6) == "true peak -0.6 dBTP"


def test_nothing_is_printed_below_zero_that_is_none():
    assert str(measured("true_peak_dbtp", showing("true_peak_dbtp", -0.01))) == "0.0"


# What is made of several figures


@pytest.mark.parametrize(
    ("channels", "dual_mono", "expected"), [(2, False, -20.0), (1, False, -17.0), (1, True, -20.0)]
)
def test_mono_is_heard_3_lu_louder_unless_it_was_measured_so(channels, dual_mono, expected):
    found = analysis(-20.0, file={"channels": channels}, dual_mono=dual_mono)
    assert expected == measured("heard_lufs", found)


@pytest.mark.parametrize(
    ("overall", "bass", "expected"),
    [
        (-0.4, -0.97, -0.97),
        (-0.95, -0.2, -0.95),
        (0.3, -0.97, 0.3),
        (0.9, 0.9, 0.9),
        (-0.4, None, -0.4),
        (None, -1, None),
    ],
)
def test_polarity_is_told_by_the_bass_only_where_the_whole_is_negative(overall, bass, expected):
    found = analysis(figures=Figures(correlation=overall, correlation_bands=(bass,), spectrum_db=(-30.0,) * 31))
    assert expected == measured("polarity_correlation", found)


@pytest.mark.parametrize(("bass_db", "expected"), [(-30.0, -0.5), (-59.0, -0.5), (-70.0, None), (None, None)])
def test_bass_that_is_not_there_is_not_judged(bass_db, expected):
    levels = (bass_db,) * 9 + (-30.0,) + (-60.0,) * 21
    found = analysis(figures=Figures(correlation_bands=(-0.5, 1, 1, 1), spectrum_db=levels))
    assert expected == measured("bass_correlation", found)


@pytest.mark.parametrize(
    ("lufs", "balance_lu", "expected"),
    [
        (-20.0, 50.0, 1.0),
        (-20.0, -50.0, 1.0),
        (-20.0, 31.0, 1.0),
        (-45.0, 25.0, 1.0),
        (-20.0, 12.0, 0.0),
        (-20.0, 0.0, 0.0),
        (None, 0.0, None),
        (-20.0, None, None),
    ],
)
def test_a_channel_is_missing_if_it_holds_hardly_anything(lufs, balance_lu, expected):
    found = analysis(figures=Figures(integrated_lufs=lufs, balance_lu=balance_lu))
    assert expected == measured("silent_channels", found)


def test_a_mono_file_misses_no_channel():
    assert measured("silent_channels", analysis(file={"channels": 1})) is None


@pytest.mark.parametrize(
    ("file", "true_bits", "expected"),
    [
        ({"bits": 24}, 16, 8.0),
        ({"bits": 16}, 16, 0.0),
        ({"bits": 32}, 24, 0.0),
        ({"bits": 32, "floating": True}, 16, None),
        ({"bits": None, "lossy": True}, 16, None),
        ({"bits": 24}, None, None),
    ],
)
def test_unused_bits_are_those_of_files_with_integers(file, true_bits, expected):
    assert expected == measured("unused_bits", analysis(file=file, figures=Figures(true_bits=true_bits)))


def edge(*levels: float) -> Edge:
    return Edge(0.1, (levels, levels))


@pytest.mark.parametrize(("rate_hz", "reached_dbfs"), [(44_100, -34.0), (48_000, -34.0), (96_000, -24.4)])
def test_an_attack_rises_at_once_but_a_cut_stands_there(rate_hz, reached_dbfs):
    heads = (edge(*(i / 100 for i in range(16))), edge(*(0.1,) * 16))
    found = [measured("first_samples_dbfs", analysis(head=head, file={"rate_hz": rate_hz})) for head in heads]
    assert [reached_dbfs, -20.0] == found  # as many samples as make 0.07 ms


@pytest.mark.parametrize("level", [0.0, 0.1])
def test_an_end_on_the_zero_line_or_on_the_constant_offset_is_quiet(level):
    found = analysis(head=edge(*(level,) * 16), tail=edge(*(level,) * 32), offset_ratio=(0.1, 0.1))
    assert (None, None) == (measured("first_samples_dbfs", found), measured("last_samples_dbfs", found))


def test_the_end_of_a_track_is_read_from_all_that_was_kept_of_it():
    assert measured("last_samples_dbfs", analysis(tail=edge(*(0.0,) * 31, to_gain(-12.0)))) == -12.0


# Words and places


def test_what_a_detector_saw_is_told_with_its_worst_and_its_place():
    found = analysis(detected=Detected(clicks=Sightings(3, 22.4, (1.5, 2.0, 9.0)), dropouts=Sightings(1, 0.02, (4.0,))))
    assert MEASURES["clicks"].says(found) == "3 clicks, the worst 22 dB above its surroundings, the first at 1.50 s"
    assert MEASURES["dropouts"].says(found) == "1 dropout, the worst 0.020 s long, the first at 4.00 s"
    assert MEASURES["clicks"].places_s(found) == (1.5, 2.0, 9.0)


def test_of_more_places_than_are_kept_none_is_called_the_first():
    found = analysis(detected=Detected(clicks=Sightings(500, 30.0, (7.0,))))
    assert MEASURES["clicks"].says(found).endswith("among others at 7.00 s")


@pytest.mark.parametrize(
    ("level_dbfs", "expected"), [(0.0, "2 flat tops at full scale"), (-3.02, "2 flat tops at -3.0 dBFS")]
)
def test_flat_tops_are_told_with_their_level(level_dbfs, expected):
    found = analysis(detected=Detected(flat_tops=Sightings(2, 5.0, (1.0, 2.0)), flat_tops_dbfs=level_dbfs))
    assert MEASURES["flat_tops"].says(found).startswith(expected)


@pytest.mark.parametrize(("dual_mono", "expected"), [(False, "as one channel"), (True, "as two equal channels")])
def test_a_mono_file_is_told_with_how_it_was_measured(dual_mono, expected):
    assert expected in MEASURES["channels"].says(analysis(file={"channels": 1}, dual_mono=dual_mono))


def test_the_ends_of_a_track_are_its_places():
    found = replace(analysis(), format=replace(analysis().format, frames=441_000))
    assert [(0.0,), (10.0,)] == [MEASURES[name].places_s(found) for name in ("first_samples_dbfs", "last_samples_dbfs")]


def test_names_are_in_small_letters():
    assert {"container": "wav", "codec": "pcm_24"} == {name: of(analysis()) for name, of in NAMES.items()}
