"""Settings of what works band by band: dynamics, transients and width."""

from __future__ import annotations

from dataclasses import dataclass

from dsp.settings.ranges import check_range

MAX_EDGES = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class BandDynamics:
    """What happens within one band. As it is made, nothing does: each part has its own ratio or gain.

    Levels are those of a sine of that peak (AES17: its rms + 3.01 dB), read over 10 ms.
    """

    threshold_dbfs: float = 0.0
    compression_ratio: float = 1.0
    """Above the threshold, so many dB more come out as 1 dB more."""
    knee_db: float = 6.0
    max_reduction_db: float = 12.0
    lift_threshold_dbfs: float = -40.0
    lift_ratio: float = 1.0
    """Below the lift threshold, so many dB less come out as 1 dB less."""
    max_lift_db: float = 6.0
    lift_floor_dbfs: float = -70.0
    """Nothing as soft as this is lifted (noise is not music), and what is x dB louder by x dB at most."""
    attack_s: float = 0.01
    release_s: float = 0.2
    """After reduction that lasted as long; after a transient the release is five times as fast."""
    gain_db: float = 0.0
    """Constant: make-up, or the balance of the bands."""

    def __post_init__(self) -> None:
        check_range("threshold_dbfs", self.threshold_dbfs, -80.0, 0.0)
        check_range("compression_ratio", self.compression_ratio, 1.0, 20.0)
        check_range("knee_db", self.knee_db, 0.0, 24.0)
        check_range("max_reduction_db", self.max_reduction_db, 0.0, 40.0)
        check_range("lift_threshold_dbfs", self.lift_threshold_dbfs, -80.0, 0.0)
        check_range("lift_ratio", self.lift_ratio, 1.0, 20.0)
        check_range("max_lift_db", self.max_lift_db, 0.0, 20.0)
        check_range("lift_floor_dbfs", self.lift_floor_dbfs, -120.0, self.lift_threshold_dbfs)
        check_range("attack_s", self.attack_s, 0.001, 0.5)
        check_range("release_s", self.release_s, 0.02, 0.5)
        check_range("gain_db", self.gain_db, -12.0, 12.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class MultibandSettings:
    """Dynamics in two to six bands: bands[0] lies below edges_hz[0], the last one above the last edge.

    Edges that the rate of a track does not reach (0.45 of it) are dropped; the band below the first of them takes the rest.
    """

    edges_hz: tuple[float, ...]
    bands: tuple[BandDynamics, ...]

    def __post_init__(self) -> None:
        _check_edges(self.edges_hz)
        _check_bands("bands", len(self.bands), len(self.edges_hz))


@dataclass(frozen=True, kw_only=True, slots=True)
class TransientSettings:
    """More or less attack, more or less of what follows it; the level of a hit does not matter."""

    attack_db: float = 0.0
    sustain_db: float = 0.0
    low_hz: float | None = None
    high_hz: float | None = None
    """Only what lies between these is shaped; None: no end on that side."""
    attack_s: float = 0.03
    """How long an onset counts as one; 30 ms: the length of a drum's attack (our choice)."""
    sustain_s: float = 0.2
    """How slowly what follows is expected to die away (our choice)."""

    def __post_init__(self) -> None:
        check_range("attack_db", self.attack_db, -15.0, 15.0)
        check_range("sustain_db", self.sustain_db, -24.0, 24.0)
        for name, edge_hz in (("low_hz", self.low_hz), ("high_hz", self.high_hz)):
            if edge_hz is not None:
                check_range(name, edge_hz, 20.0, 20_000.0)
        if self.low_hz is not None and self.high_hz is not None and self.low_hz >= self.high_hz:
            raise ValueError(f"low_hz must be below high_hz, got {self.low_hz} and {self.high_hz}")
        check_range("attack_s", self.attack_s, 0.005, 0.2)
        check_range("sustain_s", self.sustain_s, 0.02, 0.5)


@dataclass(frozen=True, kw_only=True, slots=True)
class LowEndFocusSettings:
    """Contrast of the bass: above 0 punchy (more attack, less of what follows it), below 0 smooth (the other way round)."""

    contrast_db: float
    cutoff_hz: float = 120.0
    """Upper end of what a kick drum and a bass have most of (our choice)."""

    def __post_init__(self) -> None:
        check_range("contrast_db", self.contrast_db, -12.0, 12.0)
        check_range("cutoff_hz", self.cutoff_hz, 40.0, 400.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class ImagerSettings:
    """Width band by band: the side signal of each is multiplied by its ratio (1: as it was, 0: mono); mono passes as it is."""

    edges_hz: tuple[float, ...]
    widths_ratio: tuple[float, ...]
    mono_below_hz: float | None = None
    """The side is taken away below this."""
    recover_ratio: float = 0.0
    """This part of the power that narrowing takes from a band is given back to the middle of it, by 3 dB at most."""

    def __post_init__(self) -> None:
        _check_edges(self.edges_hz)
        _check_bands("widths_ratio", len(self.widths_ratio), len(self.edges_hz))
        for width_ratio in self.widths_ratio:
            check_range("widths_ratio", width_ratio, 0.0, 2.0)
        if self.mono_below_hz is not None:
            check_range("mono_below_hz", self.mono_below_hz, 20.0, 1_000.0)
        check_range("recover_ratio", self.recover_ratio, 0.0, 1.0)


def _check_edges(edges_hz: tuple[float, ...]) -> None:
    """Raises ValueError unless one to five edges rise."""
    if not 1 <= len(edges_hz) <= MAX_EDGES or list(edges_hz) != sorted(set(edges_hz)):
        raise ValueError(f"edges_hz must be 1 to {MAX_EDGES} rising frequencies, got {edges_hz}")
    for edge_hz in edges_hz:
        check_range("edges_hz", edge_hz, 20.0, 20_000.0)


def _check_bands(name: str, bands: int, edges: int) -> None:
    """Raises ValueError unless there is one more than edges."""
    if bands != edges + 1:
        raise ValueError(f"{name} must be one more than edges_hz ({edges}), got {bands}")
