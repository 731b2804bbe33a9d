"""Limiters of other programs, each run as a program of its own; ffmpeg must be installed."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
from environments import installed

from dsp.audio import Audio, to_gain

Limit = Callable[[Audio, int, float], Audio]
"""Audio, its rate and a gain in dB: what comes out of a limiter at `CEILING_DBTP`, in step with what went in."""

CEILING_DBTP = -1.0
FLOAT64 = ("-f", "f64le")
PRECISE = "resampler=soxr:precision=28"
OVERSAMPLING = 4
ALIMITER = f"alimiter=limit={to_gain(CEILING_DBTP)}:attack=5:release=50:level=disabled:latency=1"
LOUDEST_LUFS = -5.0  # what loudnorm accepts

HARNESS = """
import sys
import numpy as np
rate, channels, ceiling = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
audio = np.frombuffer(sys.stdin.buffer.read()).reshape(-1, channels)
{body}
sys.stdout.buffer.write(np.ascontiguousarray(out, np.float64).tobytes())
"""
BODIES = {
    "matchering": """
from matchering import Config
from matchering.limiter import limit
out = limit(audio.copy(), Config(internal_sample_rate=rate, threshold=10 ** (ceiling / 20)))
""",
    "libsonare": """
import libsonare
left, right = audio[:, 0].astype(np.float32), audio[:, -1].astype(np.float32)
name = "maximizer.truePeakLimiter"
done = libsonare.mastering_process_stereo(name, left, right, rate, {"ceilingDb": ceiling})
out = np.stack([np.asarray(done.left), np.asarray(done.right)], axis=1)[:, :channels]
""",
    "pedalboard": """
import pedalboard
done = pedalboard.Limiter(threshold_db=ceiling, release_ms=100.0)(audio.T.astype(np.float32), rate)
out = done.T
""",
}
"""Each with its own defaults, and nothing but the ceiling set."""


def peers(folder: Path) -> dict[str, Limit]:
    """Every peer by name; `folder` keeps their environments."""
    return {
        "ffmpeg alimiter": _alimiter,
        "ffmpeg alimiter at 4x": _oversampled_alimiter,
        "ffmpeg loudnorm": _loudnorm,
        **{package: _packaged(installed(folder, package) / "python", body) for package, body in BODIES.items()},
    }


def _alimiter(audio: Audio, rate_hz: int, gain_db: float) -> Audio:
    return _ffmpeg(audio * to_gain(gain_db), rate_hz, ALIMITER)


def _oversampled_alimiter(audio: Audio, rate_hz: int, gain_db: float) -> Audio:
    up, down = (f"aresample={rate}:{PRECISE}" for rate in (OVERSAMPLING * rate_hz, rate_hz))
    return _ffmpeg(audio * to_gain(gain_db), rate_hz, f"{up},{ALIMITER},{down}")


def _loudnorm(audio: Audio, rate_hz: int, gain_db: float) -> Audio:
    """Loudnorm sets its own gain: here `gain_db` says how loud it is asked to be, from -30 LUFS up."""
    target = min(LOUDEST_LUFS, gain_db - 30.0)
    return _ffmpeg(audio, rate_hz, f"loudnorm=I={target}:TP={CEILING_DBTP}:LRA=50,aresample={rate_hz}:{PRECISE}")


def _ffmpeg(audio: Audio, rate_hz: int, filters: str) -> Audio:
    stream = (*FLOAT64, "-ar", str(rate_hz), "-ac", str(audio.shape[1]))
    command = ["ffmpeg", "-v", "error", *stream, "-i", "-", "-af", filters, *stream, "-"]
    return _fitted(subprocess.run(command, input=audio.tobytes(), stdout=subprocess.PIPE, check=True).stdout, audio)


def _packaged(python: Path, body: str) -> Limit:
    def limit(audio: Audio, rate_hz: int, gain_db: float) -> Audio:
        arguments = [str(rate_hz), str(audio.shape[1]), str(CEILING_DBTP)]
        command = [str(python), "-c", HARNESS.format(body=body), *arguments]
        given = (audio * to_gain(gain_db)).tobytes()
        done = subprocess.run(command, input=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        return _fitted(done.stdout, audio)

    return limit


def _fitted(data: bytes, given: Audio) -> Audio:
    """As long as what was given, and moved to where it lies upon it: some peers do not make up for their delay."""
    out = np.frombuffer(data).reshape(-1, given.shape[1])
    size = 1 << (2 * len(given) - 1).bit_length()
    spectra = [np.fft.rfft(one[: len(given), 0], size) for one in (out, given)]
    lag = int(np.fft.irfft(spectra[0] * np.conj(spectra[1])).argmax())
    lag = lag if lag < size // 2 else lag - size
    out = np.pad(out, ((max(0, -lag), len(given) + max(0, lag)), (0, 0)))
    return np.asarray(out[max(0, lag) : max(0, lag) + len(given)])
