"""Every number of a file that a profile's limits and a target's rules may judge, by name: value, unit, words and code.

A value is None where there is nothing to judge. Nothing is decided here: `decisions/checks.py` does that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dsp.detectors.sightings import PLACES_KEPT, Sightings
from dsp.gating import ABSOLUTE_GATE_LUFS
from schemas.figures import Analysis

ANY = "LIMIT_CROSSED"
"""The code of a crossing that has no name of its own."""
BASS_BANDS = 9
"""Third octaves from 20 to 125 Hz: what the lowest of `correlation_bands` covers."""
BASS_PRESENT_DB = -30.0
"""Below this share of the whole there is no bass whose phase could be judged (our choice)."""
JUMP_S = 7e-5
"""3 samples at 44.1 and 48 kHz. Tuned: 96 % of cuts at -20 dBFS reach -40 in them, none of 20 clean starts does."""
ONE_SIDED_LU = 30.0
"""A channel this far below the other holds nothing but crosstalk and noise: pickups part theirs by as much (our choice)."""
MONO_ON_TWO_LU = 10.0 * math.log10(2.0)
"""What a mono file gains when it is heard from two loudspeakers."""
GATING_BLOCK_S = 0.4
"""BS.1770-5."""
CORRELATED_S = 1.0
"""In less, channels go together or against each other by chance (our choice)."""
FINE_BITS = 12
"""With fewer, the steps of the samples are as high as what tells a cut from a smooth peak (`dsp/detectors/flat_tops.py`)."""
AT_GATE_LU = 0.1
"""A channel without loudness is taken to be at the gate."""
FULL_BITS = 24
"""What the detector of true bits sees; longer words count as this."""
TRANSCODE_LEVELS = {"clear": 0.0, "suspect": 1.0, "certain": 2.0}


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of a file, and the codes of what it means to lie above or below a bound."""

    words: str
    unit: str
    value: Callable[[Analysis], float | None]
    above: str = ANY
    below: str = ANY
    digits: int = 1
    """Decimal places that are printed; bounds are compared with the number as it is printed."""
    says: Callable[[Analysis], str] | None = None
    """What a finding says; None: words, number and unit."""
    places_s: Callable[[Analysis], tuple[float, ...]] = lambda analysis: ()
    of_masters: bool = True
    """Whether a profile's limit judges masters too; False for what only tells how a source was made."""


def measured(name: str, analysis: Analysis) -> float | None:
    """The value of a measure, as printed; None where there is nothing to judge."""
    value = MEASURES[name].value(analysis)
    return None if value is None else round(float(value), MEASURES[name].digits) + 0.0


def text_of(name: str, value: float) -> str:
    """Words, number and unit of a measure.

    >>> text_of("true_peak_dbtp", -0.6)
    'true peak -0.6 dBTP'
    """
    one = MEASURES[name]
    return f"{one.words} {value:.{one.digits}f} {one.unit}".strip()


def _sighted(name: str) -> Callable[[Analysis], Sightings]:
    return lambda analysis: getattr(analysis.detected, name)


def _figure(name: str) -> Callable[[Analysis], float | None]:
    return lambda analysis: getattr(analysis.figures, name)


def _detected(name: str) -> Callable[[Analysis], float | None]:
    return lambda analysis: getattr(analysis.detected, name)


def _seen(name: str, one: str, many: str, code: str, worst: str) -> Measure:
    """How often a detector saw something; `worst` tells how bad, with {} for the number."""
    of = _sighted(name)
    return Measure(
        words=many,
        unit="",
        value=lambda analysis: float(of(analysis).count),
        above=code,
        digits=0,
        says=lambda analysis: _told(of(analysis), one, many, worst),
        places_s=lambda analysis: of(analysis).at_s,
    )


def _told(seen: Sightings, one: str, many: str, worst: str) -> str:
    text = f"{seen.count} {one if seen.count == 1 else many}"
    if seen.worst is not None:
        text += f", the worst {worst.format(seen.worst)}"
    if seen.at_s:
        text += f", {'the first' if seen.count <= PLACES_KEPT else 'among others'} at {seen.at_s[0]:.2f} s"
    return text


def _mono_text(analysis: Analysis) -> str:
    if analysis.dual_mono:
        how = f"measured as two equal channels, as it is heard (+{MONO_ON_TWO_LU:.2f} LU)"
    else:
        how = "measured as one channel"
    return f"one channel, {how}; its masters are mono too"


def _float_peak_dbfs(analysis: Analysis) -> float | None:
    return analysis.figures.sample_peak_dbfs if analysis.format.floating else None


def _rms_dbfs(analysis: Analysis) -> float | None:
    peak_dbfs, crest_db = analysis.figures.sample_peak_dbfs, analysis.figures.crest_db
    return None if peak_dbfs is None or crest_db is None else peak_dbfs - crest_db


def _heard_lufs(analysis: Analysis) -> float | None:
    lufs, alone = analysis.figures.integrated_lufs, analysis.format.channels == 1 and not analysis.dual_mono
    return lufs + MONO_ON_TWO_LU if lufs is not None and alone else lufs


def _offset_dbfs(analysis: Analysis) -> float | None:
    return _dbfs([abs(ratio) for ratio in analysis.offset_ratio])


def _dbfs(ratios: Sequence[float]) -> float | None:
    largest = max(ratios, default=0.0)
    return 20.0 * math.log10(largest) if largest > 0.0 else None


def _first_samples_dbfs(analysis: Analysis) -> float | None:
    """A cut stands at its full height at once; an attack, however sharp, rises to it."""
    frames = max(1, round(JUMP_S * analysis.format.rate_hz))
    return _jump_dbfs([line[:frames] for line in analysis.head.samples], analysis)


def _last_samples_dbfs(analysis: Analysis) -> float | None:
    return _jump_dbfs(analysis.tail.samples, analysis)


def _jump_dbfs(lines: Sequence[Sequence[float]], analysis: Analysis) -> float | None:
    """Highest sample; an end that lies on the track's constant offset is as quiet as one on the zero line."""
    pairs = zip(lines, analysis.offset_ratio, strict=False)
    return _dbfs([min(abs(sample), abs(sample - offset)) for line, offset in pairs for sample in line])


def _imbalance_lu(analysis: Analysis) -> float | None:
    """None where a channel is missing altogether: that has a finding of its own."""
    lu = analysis.figures.balance_lu
    return None if lu is None or _silent_channels(analysis) else abs(lu)


def _imbalance_text(analysis: Analysis) -> str:
    lu = analysis.figures.balance_lu or 0.0
    return f"the {'left' if lu > 0.0 else 'right'} channel is {abs(lu):.1f} LU louder than the other"


def _silent_channels(analysis: Analysis) -> float | None:
    """1 where a stereo file sounds from one side only: the other lies far below, or below -70 LUFS."""
    figures, balance_lu = analysis.figures, analysis.figures.balance_lu
    if analysis.format.channels != 2 or figures.integrated_lufs is None or balance_lu is None:
        return None
    other_lufs = figures.integrated_lufs - abs(balance_lu)
    return float(abs(balance_lu) > ONE_SIDED_LU or other_lufs <= ABSOLUTE_GATE_LUFS + AT_GATE_LU)


def _silent(analysis: Analysis) -> float | None:
    """1 where nothing is louder than -70 LUFS; less than a gating block has no loudness, and is not judged unless empty."""
    if analysis.format.frames and analysis.format.duration_s < GATING_BLOCK_S:
        return None
    return float(analysis.figures.integrated_lufs is None)


def _flat_tops(analysis: Analysis) -> float:
    """With few bits any peak is flat."""
    bits = analysis.figures.true_bits
    return 0.0 if bits is not None and bits < FINE_BITS else float(analysis.detected.flat_tops.count)


def _bass_correlation(analysis: Analysis) -> float | None:
    if analysis.format.duration_s < CORRELATED_S:
        return None
    bands, levels = analysis.figures.correlation_bands, analysis.figures.spectrum_db
    powers = [10.0 ** (level / 10.0) if level is not None else 0.0 for level in levels]
    present = sum(powers[:BASS_BANDS]) > 10.0 ** (BASS_PRESENT_DB / 10.0) * sum(powers)
    return bands[0] if bands and present else None


def _polarity_correlation(analysis: Analysis) -> float | None:
    """Width hides a turned channel from the overall correlation; the bass, hardly ever wide, tells it."""
    overall, bass = analysis.figures.correlation, _bass_correlation(analysis)
    if analysis.format.duration_s < CORRELATED_S:
        return None
    return min(overall, bass) if overall is not None and bass is not None and overall < 0.0 else overall


def _unused_bits(analysis: Analysis) -> float | None:
    audio, true_bits = analysis.format, analysis.figures.true_bits
    if audio.floating or not audio.bits or not true_bits:
        return None
    return float(max(0, min(audio.bits, FULL_BITS) - true_bits))


def _flat_tops_text(analysis: Analysis) -> str:
    level_dbfs = analysis.detected.flat_tops_dbfs
    at = "full scale" if level_dbfs is None or level_dbfs > -0.05 else f"{level_dbfs:.1f} dBFS"
    return _told(analysis.detected.flat_tops, f"flat top at {at}", f"flat tops at {at}", "{:.0f} samples long")


def _psr_at_s(analysis: Analysis) -> tuple[float, ...]:
    at_s = analysis.figures.psr_min_at_s
    return () if at_s is None else (at_s,)


def _psr_text(analysis: Analysis) -> str:
    at = "".join(f" at {at_s:.1f} s" for at_s in _psr_at_s(analysis))
    return f"true peak and loudness lie only {analysis.figures.psr_min_lu or 0.0:.1f} LU apart{at}"


def _start(analysis: Analysis) -> tuple[float, ...]:
    return (0.0,)


def _end(analysis: Analysis) -> tuple[float, ...]:
    return (round(analysis.format.duration_s, 3),)


OF_FIGURES = {
    "integrated_lufs": Measure("loudness", "LUFS", _figure("integrated_lufs")),
    "heard_lufs": Measure("loudness from two loudspeakers", "LUFS", _heard_lufs),
    "loudness_range_lu": Measure("loudness range", "LU", _figure("loudness_range_lu")),
    "max_momentary_lufs": Measure("loudest 400 ms", "LUFS", _figure("max_momentary_lufs")),
    "max_short_term_lufs": Measure("loudest 3 s", "LUFS", _figure("max_short_term_lufs")),
    "true_peak_dbtp": Measure("true peak", "dBTP", _figure("true_peak_dbtp")),
    "sample_peak_dbfs": Measure("sample peak", "dBFS", _figure("sample_peak_dbfs")),
    "float_peak_dbfs": Measure(
        "float sample peak", "dBFS", _float_peak_dbfs, above="SOURCE_OVER_FULL_SCALE", of_masters=False,
        says=lambda a: f"samples reach {a.figures.sample_peak_dbfs or 0.0:+.1f} dBFS; nothing is lost in a float file",
    ),
    "rms_dbfs": Measure("root mean square", "dBFS", _rms_dbfs),
    "plr_lu": Measure("true peak less loudness", "LU", _figure("plr_lu")),
    "psr_min_lu": Measure(
        "least true peak less loudness of 3 s", "LU", _figure("psr_min_lu"), below="HEAVILY_LIMITED",
        says=_psr_text, places_s=_psr_at_s,
    ),
    "dynamic_range_db": Measure("dynamic range", "dB", _figure("dynamic_range_db"), below="HEAVILY_LIMITED"),
    "crest_db": Measure("crest", "dB", _figure("crest_db")),
    "noise_floor_dbfs": Measure("noise floor", "dBFS", _figure("noise_floor_dbfs")),
    "dc_offset_dbfs": Measure(
        "constant offset", "dBFS", _offset_dbfs, above="DC_OFFSET",
        says=lambda a: f"the waveform lies {_offset_dbfs(a) or 0.0:.1f} dBFS off the zero line",
    ),
    "slope_db_per_octave": Measure("slope of the spectrum", "dB/octave", _figure("slope_db_per_octave"), digits=2),
    "bandwidth_hz": Measure("bandwidth", "Hz", _figure("bandwidth_hz"), digits=0),
    "correlation": Measure(
        "correlation of left and right", "", _figure("correlation"), above="DUAL_MONO", digits=4,
        says=lambda a: f"both channels hold the same signal: correlation {a.figures.correlation or 0.0:.4f}",
    ),
    "polarity_correlation": Measure(
        "polarity", "", _polarity_correlation, below="POLARITY_INVERTED",
        digits=2,
        says=lambda a: f"one channel is turned over: correlation {_polarity_correlation(a) or 0.0:.2f}",
    ),
    "bass_correlation": Measure(
        "correlation below 150 Hz", "", _bass_correlation, below="BASS_OUT_OF_PHASE", digits=2
    ),
    "width_ratio": Measure("width", "", _figure("width_ratio"), digits=2),
    "side_mid_lu": Measure("side less middle", "LU", _figure("side_mid_lu")),
    "mono_loss_lu": Measure("loudness lost in mono", "LU", _figure("mono_loss_lu"), above="MONO_LOSS"),
    "imbalance_lu": Measure("imbalance", "LU", _imbalance_lu, above="CHANNEL_WEAK", says=_imbalance_text),
    "silent_channels": Measure(
        "silent channels", "", _silent_channels, above="CHANNEL_MISSING", digits=0,
        says=lambda a: f"only the {'left' if (a.figures.balance_lu or 0.0) > 0.0 else 'right'} channel sounds",
    ),
    "silent": Measure(
        "silent throughout", "", _silent, above="NO_SOUND", digits=0, says=lambda a: "nothing is louder than -70 LUFS"
    ),
}  # fmt: skip

OF_FORMAT = {
    "rate_hz": Measure("rate", "Hz", lambda a: a.format.rate_hz, digits=0),
    "bits": Measure("bits", "", lambda a: a.format.bits, digits=0),
    "channels": Measure(
        "channels", "", lambda a: a.format.channels, below="MONO_SOURCE", digits=0, says=_mono_text, of_masters=False
    ),
    "duration_s": Measure("length", "s", lambda a: a.format.duration_s),
    "floating": Measure("float samples", "", lambda a: float(a.format.floating), digits=0),
    "lossy": Measure(
        "lossy codec", "", lambda a: float(a.format.lossy), above="LOSSY_SOURCE", digits=0, of_masters=False,
        says=lambda a: f"the source is coded with loss ({a.format.container} {a.format.codec})",
    ),
    "unused_bits": Measure(
        "unused bits", "", _unused_bits, above="UNUSED_BITS", digits=0, of_masters=False,
        says=lambda a: f"{a.figures.true_bits} bits of sound in a file of {a.format.bits}",
    ),
}  # fmt: skip

OF_DETECTORS = {
    "flat_tops": Measure(
        "flat tops", "", _flat_tops, above="SOURCE_CLIPPED", digits=0, says=_flat_tops_text,
        places_s=lambda a: a.detected.flat_tops.at_s, of_masters=False,  # a limiter holds peaks level without cutting them
    ),
    "inter_sample_overs": _seen(
        "inter_sample_overs", "tenth of a second over full scale", "tenths of a second over full scale",
        "INTER_SAMPLE_OVERS", "at {:+.1f} dBTP",
    ),
    "clicks": _seen("clicks", "click", "clicks", "CLICKS", "{:.0f} dB above its surroundings"),
    "dropouts": _seen("dropouts", "dropout", "dropouts", "DROPOUTS", "{:.3f} s long"),
    "noise_bursts": _seen(
        "noise_bursts", "burst of noise", "bursts of noise", "NOISE_BURSTS", "{:.0f} dB above its surroundings"
    ),
    "first_samples_dbfs": Measure(
        "first samples", "dBFS", _first_samples_dbfs, above="ABRUPT_START", places_s=_start,
        says=lambda a: f"the first samples are at {_first_samples_dbfs(a) or 0.0:.1f} dBFS already: the start is cut off",
    ),
    "last_samples_dbfs": Measure(
        "last samples", "dBFS", _last_samples_dbfs, above="ABRUPT_END", places_s=_end,
        says=lambda a: f"the last samples are still at {_last_samples_dbfs(a) or 0.0:.1f} dBFS: the end is cut off",
    ),
    "head_dbfs": Measure("peak of the first 5 ms", "dBFS", _detected("head_dbfs"), above="ABRUPT_START", places_s=_start),
    "tail_dbfs": Measure("peak of the last 5 ms", "dBFS", _detected("tail_dbfs"), above="ABRUPT_END", places_s=_end),
    "head_silence_s": Measure(
        "silence at the start", "s", _detected("head_silence_s"), above="LONG_SILENCE_HEAD", places_s=_start
    ),
    "tail_silence_s": Measure(
        "silence at the end", "s", _detected("tail_silence_s"), above="LONG_SILENCE_TAIL", places_s=_end
    ),
    "silence_inside_s": Measure(
        "silence inside", "s", lambda a: a.detected.silences.worst or 0.0, above="LONG_SILENCE_INSIDE",
        places_s=lambda a: a.detected.silences.at_s,
    ),
    "hum_db": Measure(
        "mains hum", "dB", _detected("hum_db"), above="HUM",
        says=lambda a: f"hum of {a.detected.hum_hz or 0.0:g} Hz stands {a.detected.hum_db or 0.0:.1f} dB out of its surroundings",
    ),
    "limited_ratio": Measure(
        "share of the music at its highest level", "", _detected("limited_ratio"), above="HEAVILY_LIMITED", digits=2
    ),
    "upsampled_from_hz": Measure(
        "made at", "Hz", _detected("upsampled_from_hz"), above="UPSAMPLED", digits=0, of_masters=False,
        says=lambda a: f"a file of {a.format.rate_hz} Hz that seems to be made at {a.detected.upsampled_from_hz or 0.0:.0f} Hz",
    ),
    "transcode_level": Measure(
        "traces of a lossy coder", "", lambda a: TRANSCODE_LEVELS[a.detected.transcode], above="LOSSY_TRANSCODE", digits=0,
        of_masters=False,
        says=lambda a: "traces of a lossy coder"
        + (f", the band ends at {a.detected.cutoff_hz:.0f} Hz" if a.detected.cutoff_hz else "")
        + f": {a.detected.transcode}",
    ),
}  # fmt: skip

MEASURES: dict[str, Measure] = {**OF_FIGURES, **OF_FORMAT, **OF_DETECTORS}

NAMES: dict[str, Callable[[Analysis], str]] = {
    "container": lambda analysis: analysis.format.container.lower(),
    "codec": lambda analysis: analysis.format.codec.lower(),
}
"""What has a name in place of a number: a target's rule may say which it takes."""
