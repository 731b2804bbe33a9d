"""The meters on the signals of EBU Tech 3341 and 3342, ITU-R BS.2217 and BS.1770: as the standards allow, and as an exact
meter reads them.

The authentic programmes (3341-7 and 8, 3342-5 and 6) cannot be synthesised and are left out.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.audio import Audio, Floats
from dsp.loudness import (
    CHANNEL_WEIGHTS,
    MOMENTARY_TICKS,
    SHORT_TERM_TICKS,
    Loudness,
    LoudnessMeter,
    k_weighting,
    mean_squares,
)
from dsp.true_peak import TruePeakMeter
from tests.dsp.signals import EBU_HZ, burst_between_samples, fraction_tone, level_db, tones
from tests.makers import sine

LOUDNESS_LU = 0.1  # EBU Tech 3341, table 1; BS.2217
RANGE_LU = 1.0  # EBU Tech 3342, table 1
PLUS_DB, MINUS_DB = 0.2, 0.4  # EBU Tech 3341, cases 15 to 23
EXACT_LU = 0.005  # standards M2: from what a float64 meter with the filters of BS.1770 reads
EXACT_DB = 0.01  # from an ideal reading at 32 times the rate
ANCHOR_LU = 0.002  # standards M4

Segments = list[tuple[float, float | None]]


def meter_of(audio: Audio, rate_hz: int = EBU_HZ, *, dual_mono: bool = False) -> LoudnessMeter:
    meter = LoudnessMeter(rate_hz, audio.shape[1], dual_mono=dual_mono)
    meter.push(audio)
    return meter


def loudness(audio: Audio, rate_hz: int = EBU_HZ) -> Loudness:
    return meter_of(audio, rate_hz).loudness()


def lufs_of_windows(audio: Audio, window_ticks: int) -> Floats:
    """The levels of all windows of so many ticks, at a hop of 10 ms."""
    meter = meter_of(audio)
    energies = mean_squares(meter.energies(), meter.grid, window_ticks, 1)
    return -0.691 + 10.0 * np.log10(np.maximum(energies, 1e-30))  # BS.1770-5 annex 1, equation 2


def bs_2217(hz: int, level_dbfs: float, exact_lufs: float) -> list[tuple[int, Segments, float, float]]:
    return [
        (hz, [(20.0, level_dbfs)], -23.0, exact_lufs),
        (hz, [(20.0, level_dbfs - 1.0)], -24.0, exact_lufs - 1.0),
    ]


# Integrated loudness: frequency, (seconds, peak level) in both channels, what the standard wants, what an exact meter reads

INTEGRATED: dict[str, tuple[int, Segments, float, float]] = {
    "3341-1": (1000, [(20.0, -23.0)], -23.0, -22.9933),
    "3341-2": (1000, [(20.0, -33.0)], -33.0, -32.9933),
    "3341-3": (1000, [(10.0, -36.0), (60.0, -23.0), (10.0, -36.0)], -23.0, -23.0139),
    "3341-4": (
        1000, [(10.0, -72.0), (10.0, -36.0), (60.0, -23.0), (10.0, -36.0), (10.0, -72.0)], -23.0, -23.0139,
    ),
    "3341-5": (1000, [(20.0, -26.0), (20.1, -20.0), (20.0, -26.0)], -23.0, -22.9787),
    "alignment": (1000, [(20.0, -18.0)], -18.0, -17.9933),
    "2217 relative gate": (
        1000, [(0.5, -88.8), (0.9, -19.9), (1.3, -7.1), (0.8, -19.9), (0.5, -88.8)], -10.0, -10.0287,
    ),
    "2217 absolute gate": (
        1000,
        [(0.8, -88.8), (0.5, -69.466), (0.5, -88.8), (0.5, -69.466), (0.5, -88.8), (0.5, -69.466), (0.7, -88.8)],
        -69.5,
        -69.4594,
    ),
    **{
        f"2217 {hz} Hz at {wanted:.0f}": (hz, segments, wanted, exact)
        for hz, level_dbfs, read in [  # level = target + 0.691 - K(f)
            (25, -11.9162, -23.0002),
            (100, -21.1755, -23.0001),
            (500, -22.3515, -23.0),
            (1000, -23.0067, -23.0),
            (2000, -25.3803, -23.0),
            (10_000, -26.3509, -23.0),
        ]
        for hz, segments, wanted, exact in bs_2217(hz, level_dbfs, read)
    },
}  # fmt: skip


@pytest.mark.parametrize(("hz", "segments", "wanted_lufs", "exact_lufs"), INTEGRATED.values(), ids=INTEGRATED)
def test_a_programme_of_tones_is_as_loud_as_the_standard_says(hz, segments, wanted_lufs, exact_lufs):
    found = loudness(tones(*segments, hz=float(hz))).integrated_lufs
    assert found == pytest.approx(wanted_lufs, abs=LOUDNESS_LU)
    assert found == pytest.approx(exact_lufs, abs=EXACT_LU)


@pytest.mark.parametrize("rate_hz", [44_100, 96_000, 192_000])
@pytest.mark.parametrize("case", ["3341-1", "3341-5", "2217 10000 Hz at -23"])
def test_the_rate_of_a_programme_does_not_matter(case, rate_hz):
    hz, segments, wanted_lufs, _ = INTEGRATED[case]
    found = loudness(tones(*segments, hz=float(hz), rate_hz=rate_hz), rate_hz)
    assert found.integrated_lufs == pytest.approx(wanted_lufs, abs=LOUDNESS_LU)


@pytest.mark.parametrize("level_dbfs", [-23.0, -33.0], ids=["3341-1", "3341-2"])
def test_a_steady_tone_reads_the_same_on_every_scale(level_dbfs):
    figures = loudness(tones((20.0, level_dbfs)))
    scales = [figures.integrated_lufs, figures.max_momentary_lufs, figures.max_short_term_lufs]
    assert [level_dbfs] * 3 == pytest.approx(scales, abs=LOUDNESS_LU)
    assert [level_dbfs + 0.0067] * 3 == pytest.approx(scales, abs=EXACT_LU)


def test_the_surround_tone_reads_minus_23_lufs():
    left, centre, rear = (tones((20.0, level), channels=1) for level in (-28.0, -24.0, -30.0))  # 3341-6
    five = loudness(np.concatenate([left, left, centre, rear, rear], axis=1)).integrated_lufs
    six = loudness(np.concatenate([left, left, centre, 0.0 * left, rear, rear], axis=1)).integrated_lufs
    assert [five, six] == pytest.approx([-23.0] * 2, abs=LOUDNESS_LU)
    assert [five, six] == pytest.approx([-23.0163] * 2, abs=EXACT_LU)


# The scales of EBU Tech 3341


def test_the_short_term_scale_stands_still_on_a_tone_that_changes_within_its_window():
    levels = lufs_of_windows(tones(*[(1.34, -20.0), (1.66, -30.0)] * 5), SHORT_TERM_TICKS)  # 3341-9
    assert [levels.min(), levels.max()] == pytest.approx([-23.0] * 2, abs=LOUDNESS_LU)
    assert [levels.min(), levels.max()] == pytest.approx([-22.9863] * 2, abs=EXACT_LU)


def test_the_momentary_scale_stands_still_on_a_tone_that_changes_within_its_window():
    after_1_s = lufs_of_windows(tones(*[(0.18, -20.0), (0.22, -30.0)] * 25), MOMENTARY_TICKS)[60:]  # 3341-12
    assert [after_1_s.min(), after_1_s.max()] == pytest.approx([-23.0] * 2, abs=LOUDNESS_LU)
    assert [after_1_s.min(), after_1_s.max()] == pytest.approx([-22.9604] * 2, abs=EXACT_LU)


def test_a_tone_of_3_s_reaches_its_short_term_level_wherever_it_starts():
    files = [tones((i * 0.15, None), (3.0, -23.0), (1.0, None)) for i in range(20)]  # 3341-10
    found = [loudness(file).max_short_term_lufs for file in files]
    assert [-23.0] * 20 == pytest.approx(found, abs=LOUDNESS_LU)
    assert [-22.9933] * 20 == pytest.approx(found, abs=EXACT_LU)


def test_a_tone_of_400_ms_reaches_its_momentary_level_wherever_it_starts():
    files = [tones((i * 0.02, None), (0.4, -23.0), (1.0, None)) for i in range(20)]  # 3341-13
    found = [loudness(file).max_momentary_lufs for file in files]
    assert [-23.0] * 20 == pytest.approx(found, abs=LOUDNESS_LU)
    assert [-22.9936] * 20 == pytest.approx(found, abs=EXACT_LU)


def successive_maxima(levels: Floats, window_s: float, segment_s: float) -> list[float]:
    """The largest value within each segment; a window belongs to the segment in which it ends."""
    ends_s = np.arange(len(levels)) * 0.01 + window_s
    return [float(levels[(ends_s > a) & (ends_s <= a + segment_s)].max()) for a in np.arange(20) * segment_s]


def test_successive_tones_of_3_s_are_read_one_after_the_other():
    stream = [((i * 0.15, None), (3.0, -38.0 + i), (3.0 - i * 0.15, None)) for i in range(20)]  # 3341-11
    levels = lufs_of_windows(tones(*(segment for three in stream for segment in three)), SHORT_TERM_TICKS)
    assert [-38.0 + i for i in range(20)] == pytest.approx(successive_maxima(levels, 3.0, 6.0), abs=LOUDNESS_LU)


def test_successive_tones_of_400_ms_are_read_one_after_the_other():
    stream = [((i * 0.02, None), (0.4, -38.0 + i), (0.4 - i * 0.02, None)) for i in range(20)]  # 3341-14
    levels = lufs_of_windows(tones(*(segment for three in stream for segment in three)), MOMENTARY_TICKS)
    assert [-38.0 + i for i in range(20)] == pytest.approx(successive_maxima(levels, 0.4, 0.8), abs=LOUDNESS_LU)


# True peak


@pytest.mark.parametrize(
    ("audio", "wanted_dbtp", "exact_dbtp"),
    [
        pytest.param(fraction_tone(4, 0.0, 10 ** (-6 / 20), seconds=3.2), -6.0, -6.0, id="3341-15"),
        pytest.param(fraction_tone(4, 45.0, 10 ** (-6 / 20), seconds=3.2), -6.0, -6.0, id="3341-16"),
        pytest.param(fraction_tone(6, 60.0, 10 ** (-6 / 20), seconds=3.2), -6.0, -6.0, id="3341-17"),
        pytest.param(fraction_tone(8, 67.5, 10 ** (-6 / 20), seconds=3.2), -6.0, -6.0, id="3341-18"),
        pytest.param(fraction_tone(4, 45.0, 10 ** (3.0103 / 20), seconds=3.2), 3.0, 3.0103, id="3341-19"),
        pytest.param(fraction_tone(4, 0.0, 0.50), -6.0, -6.0206, id="3341-15, by its text"),
        pytest.param(fraction_tone(4, 45.0, 1.41), 3.0, 2.9844, id="3341-19, by its text"),
        *(pytest.param(burst_between_samples(k), 0.0, -0.083, id=f"3341-{20 + k}") for k in range(4)),
    ],
)
def test_the_true_peak_is_what_the_standard_says(audio, wanted_dbtp, exact_dbtp):
    meter = TruePeakMeter(EBU_HZ, 2)
    meter.push(audio)
    found = level_db(float(meter.finish().max()))
    assert wanted_dbtp - MINUS_DB <= found <= wanted_dbtp + PLUS_DB
    assert found == pytest.approx(exact_dbtp, abs=EXACT_DB)


# Loudness range


@pytest.mark.parametrize(
    ("levels_dbfs", "wanted_lu"),
    [
        pytest.param((-20.0, -30.0), 10.0, id="3342-1"),
        pytest.param((-20.0, -15.0), 5.0, id="3342-2"),
        pytest.param((-40.0, -20.0), 20.0, id="3342-3"),
        pytest.param((-50.0, -35.0, -20.0, -35.0, -50.0), 15.0, id="3342-4"),
    ],
)
@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_the_range_is_what_the_standard_says(levels_dbfs, wanted_lu, rate_hz):
    audio = tones(*((20.0, level) for level in levels_dbfs), rate_hz=rate_hz)
    found = loudness(audio, rate_hz).loudness_range_lu
    assert found == pytest.approx(wanted_lu, abs=RANGE_LU)
    assert found == pytest.approx(wanted_lu, abs=EXACT_LU)


# The filter of BS.1770


@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 88_200, 96_000, 176_400, 192_000])
def test_full_scale_at_997_hz_in_one_channel_reads_minus_3_01_lufs(rate_hz):
    tone = sine(997.0, level_dbfs=0.0, seconds=5.0, rate_hz=rate_hz)
    tone[:, 1] = 0.0
    assert loudness(tone, rate_hz).integrated_lufs == pytest.approx(-3.010, abs=ANCHOR_LU)


@given(st.integers(8_000, 384_000))
def test_997_hz_reads_the_same_at_every_rate(rate_hz):
    tone = sine(997.0, level_dbfs=0.0, seconds=5.0, rate_hz=rate_hz, channels=1)
    assert loudness(tone, rate_hz).integrated_lufs == pytest.approx(-3.010, abs=ANCHOR_LU)


# Rate, b0 b1 b2 a1 a2 of the first stage, a1 a2 of the second, its gain: 48 kHz is BS.1770's own table, the others its
# analogue prototype by the bilinear transform; the gain makes 997 Hz read as at 48 kHz.
K_WEIGHTING = [
    (32_000, 1.51117789956876, -2.46488941336014, 1.0416332735223, -1.53904509625064, 0.626966855981559,
     -1.98508966898869, 0.985145320669552, 0.998340834),
    (44_100, 1.53084123005035, -2.65097999515473, 1.16907907992159, -1.66365511325602, 0.712595428073225,
     -1.9891696736298, 0.989199035787039, 0.999682026),
    (48_000, 1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585,
     -1.99004745483398, 0.99007225036621, 1.0),
    (88_200, 1.55751537557965, -2.90562707992635, 1.36133397747221, -1.83091998796233, 0.844142261087853,
     -1.99457751545034, 0.994584875878055, 1.001806220),
    (96_000, 1.5597142289758, -2.92674157825108, 1.37826120231582, -1.84460946989011, 0.855843322930641,
     -1.99501754472472, 0.995023759040923, 1.001996398),
    (176_400, 1.57111531774185, -3.03654450240465, 1.46887161198976, -1.91532931683305, 0.918771744160008,
     -1.99728692242381, 0.997288765026068, 1.003018579),
    (192_000, 1.57222721509128, -3.04728305156155, 1.47797134097961, -1.92220223060749, 0.925117735116826,
     -1.9975072228407, 0.99750877835551, 1.003121497),
]  # fmt: skip


@pytest.mark.parametrize("row", K_WEIGHTING, ids=lambda row: str(row[0]))
def test_the_filter_is_that_of_the_recommendation(row):
    rate_hz, *first, a1, a2, gain = row
    shelf, highpass = k_weighting(rate_hz)
    assert first == pytest.approx(shelf.tolist(), abs=1e-13)
    assert [a1, a2] == pytest.approx(highpass[3:].tolist(), abs=1e-13)
    assert [gain, -2.0 * gain, gain] == pytest.approx(highpass[:3].tolist(), abs=2e-9)


# Layouts

LAYOUTS = [(channels, channel) for channels in CHANNEL_WEIGHTS for channel in range(channels)]
WANTED = {
    1: [1.0],
    2: [1.0, 1.0],
    3: [1.0, 1.0, 1.0],
    4: [1.0, 1.0, 1.41, 1.41],
    5: [1.0, 1.0, 1.0, 1.41, 1.41],
    6: [1.0, 1.0, 1.0, 0.0, 1.41, 1.41],
}
"""BS.1770-5 annex 1, table 3: front 1, surround 1.41, and nothing of the LFE."""


@pytest.mark.parametrize(("channels", "channel"), LAYOUTS)
def test_a_channel_has_the_weight_of_its_place(channels, channel):
    tone = sine(997.0, level_dbfs=-20.0, seconds=2.0, rate_hz=EBU_HZ, channels=channels)
    tone *= np.arange(channels) == channel
    weight = WANTED[channels][channel]
    expected = -23.0103 + 10.0 * math.log10(weight) if weight else None
    assert loudness(tone).integrated_lufs == (expected and pytest.approx(expected, abs=EXACT_LU))


def test_the_lfe_does_not_change_the_loudness():
    music = sine(997.0, seconds=2.0, rate_hz=EBU_HZ, channels=6)
    louder = music + sine(40.0, level_dbfs=-3.0, seconds=2.0, rate_hz=EBU_HZ, channels=6) * (np.arange(6) == 3)
    assert loudness(music) == loudness(louder)


def test_one_channel_on_two_loudspeakers_is_3_01_lu_louder():
    tone = sine(997.0, seconds=2.0, rate_hz=EBU_HZ, channels=1)
    one, both = (meter_of(tone, dual_mono=twice).loudness() for twice in (False, True))
    assert both.integrated_lufs - one.integrated_lufs == pytest.approx(3.0103, abs=1e-4)
    assert both == loudness(np.repeat(tone, 2, axis=1))


def test_dual_mono_means_nothing_to_stereo():
    tone = sine(997.0, seconds=2.0, rate_hz=EBU_HZ)
    assert meter_of(tone, dual_mono=True).loudness() == loudness(tone)
