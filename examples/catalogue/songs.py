"""What is played: every song of the example catalogue as a score that can be read and edited.

Scores are text: one token a step, `|` between bars; a number is a degree (1 = root, 8 = octave), `.` holds the
note before, `-` rests. `melody` counts from the key, `figure` and `bass` from the root of the bar's chord.
"""

from __future__ import annotations

from dataclasses import dataclass

MAJOR = (0, 2, 4, 5, 7, 9, 11)
LYDIAN = (0, 2, 4, 6, 7, 9, 11)
MIXOLYDIAN = (0, 2, 4, 5, 7, 9, 10)
DORIAN = (0, 2, 3, 5, 7, 9, 10)
MINOR = (0, 2, 3, 5, 7, 8, 10)


@dataclass(frozen=True, kw_only=True)
class Note:
    """A degree and its place, both as parts of a bar."""

    degree: int
    start_ratio: float
    length_ratio: float


@dataclass(frozen=True, kw_only=True)
class Song:
    """A score. `form` has a letter a bar: i intro, v verse, c chorus, b break, o outro."""

    seed: int
    tonic: int
    """MIDI number of degree 1."""
    scale: tuple[int, ...]
    tempo_bpm: float
    form: str
    chords: str
    melody: str
    figure: str = "1"
    bass: str = "1"
    beats: int = 4
    level_dbfs: float
    """RMS of the song before its highest peaks are rounded."""

    @property
    def beat_s(self) -> float:
        return 60 / self.tempo_bpm

    @property
    def bar_s(self) -> float:
        return self.beats * self.beat_s

    @property
    def duration_s(self) -> float:
        """All bars, and four seconds to ring out."""
        return len(self.form) * self.bar_s + 4.0

    def pitch_hz(self, degree: int, octave: int = 0) -> float:
        """Degree 8 is the octave of 1, degree 0 the seventh below it."""
        turns, step = divmod(degree - 1, 7)
        return float(440 * 2 ** ((self.tonic + self.scale[step] - 69) / 12 + turns + octave))

    def root(self, bar: int) -> int:
        """Degree of the bar's chord; 5, 6 and 7 lie below the tonic, so that lines do not jump about."""
        degrees = [int(token) for token in self.chords.split()]
        degree = degrees[bar % len(degrees)]
        return degree - 7 if degree > 4 else degree


def notes(score: str, bar: int) -> list[Note]:
    """The notes of one bar of a score that starts again when it ends."""
    bars = score.split("|")
    steps = bars[bar % len(bars)].split()
    found = []
    for place, token in enumerate(steps):
        if token not in ".-":
            held = next((n for n, later in enumerate(steps[place + 1 :]) if later != "."), len(steps) - place - 1)
            found.append(Note(degree=int(token), start_ratio=place / len(steps), length_ratio=(1 + held) / len(steps)))
    return found


# Ambient: one chord a bar; the melody is for bells.

LOW_TIDE = Song(
    seed=101,
    tonic=50,
    scale=MAJOR,
    tempo_bpm=60,
    form="iivvccoo",
    chords="1 5 6 4",
    melody="- - 5 . - - 3 . | - - - - 2 . . . | - 8 . . 7 . 5 . | - - 6 . . . - -",
    level_dbfs=-27,
)
BETWEEN_THE_PIERS = Song(
    seed=102,
    tonic=45,
    scale=DORIAN,
    tempo_bpm=60,
    form="iivvvvccccvvvoo",
    chords="1 4 1 7 3 4 7 5",
    melody="- 8 . 9 10 . . . | - - 8 . . 6 . . | - - 12 . . 10 . . | 9 . . . - - 6 . |"
    "10 . . 9 . 7 . . | - - - 8 . . . .",
    level_dbfs=-26,
)
FOG_SIGNAL = Song(
    seed=103,
    tonic=52,
    scale=MINOR,
    tempo_bpm=52,
    form="ivvccvo",
    chords="1 6 3 7",
    melody="- - - - 5 . . . | 8 . . . . . - - | - - 7 . 5 . 3 . | - - - - - 4 . .",
    level_dbfs=-28.5,
)
LAMP_ROOM = Song(
    seed=104,
    tonic=46,
    scale=LYDIAN,
    tempo_bpm=66,
    form="iivvcccccvoo",
    chords="1 2 1 6 2 3",
    melody="8 . 9 . 12 . | - - 11 . 9 . | 10 . . 8 . . | - 6 . 8 . . | 9 . 11 . 13 . | - - 12 . . .",
    beats=3,
    level_dbfs=-25,
)
LAST_FERRY = Song(
    seed=105,
    tonic=43,
    scale=MINOR,
    tempo_bpm=56,
    form="ivvccvo",
    chords="1 7 6 3",
    melody="- - 12 . 10 . 9 . | 8 . . . - - - - | - 10 . 8 . . 6 . | - - - 7 . . . .",
    level_dbfs=-27,
)

# Electronic: the figure is the arpeggio, sixteenths; the melody comes in the chorus.

DEPOT = Song(
    seed=201,
    tonic=57,
    scale=MINOR,
    tempo_bpm=124,
    form="iivvvvvvbbccccco",
    chords="1 6 3 7",
    melody="8 . - 7 . - 5 . | 5 . - 6 . - 8 . | 7 . - 5 . - 3 . | 4 . - 5 . 7 9 .",
    figure="1 3 5 8 5 3 5 8 1 3 5 8 10 8 5 3",
    bass="- - 1 - - - 1 1 - - 1 - - - 8 1",
    level_dbfs=-11.8,
)
UPPER_DECK = Song(
    seed=202,
    tonic=60,
    scale=DORIAN,
    tempo_bpm=118,
    form="iivvvvbbccccccco",
    chords="1 1 4 3",
    melody="- 5 . 5 7 . 8 . | 9 . 8 . 7 . 5 . | - 6 . 6 8 . 6 . | 7 . . . 5 . 3 .",
    figure="8 - 5 - 3 5 - 8 - 10 - 8 5 - 3 -",
    bass="1 - - 1 - - 8 - - 1 - - 1 - 5 -",
    level_dbfs=-12,
)
NIGHT_FARE = Song(
    seed=203,
    tonic=53,
    scale=MINOR,
    tempo_bpm=128,
    form="iivvvvvvbbcccccco",
    chords="6 7 1 1",
    melody="12 . . 10 . . 8 . | 9 . . 11 . . 9 . | 10 . . . 8 . . . | 7 . 8 . 10 . 12 .",
    figure="1 5 8 1 5 8 1 5 8 1 5 8 10 8 5 3",
    bass="1 - 1 1 - 1 1 - 1 - 1 1 - 1 8 -",
    level_dbfs=-11.2,
)
TERMINUS = Song(
    seed=204,
    tonic=62,
    scale=MINOR,
    tempo_bpm=112,
    form="iivvvvbbccccccoo",
    chords="1 3 6 4",
    melody="5 . . . 3 . 2 . | 3 . . . 5 . 7 . | 8 . 7 . 6 . 5 . | 6 . . 5 4 . . .",
    figure="1 8 5 8 3 8 5 8 1 8 5 8 3 10 8 5",
    bass="- - 1 . - - 1 . - - 1 . - - 5 .",
    level_dbfs=-13,
)
RED_LIGHT = Song(
    seed=205,
    tonic=52,
    scale=MINOR,
    tempo_bpm=126,
    form="iivvvvbbcccccccco",
    chords="1 1 6 7",
    melody="8 . 10 . 9 . 8 . | 7 . 8 . . . 5 . | 6 . 8 . 10 . 8 . | 9 . . 8 7 . 9 .",
    figure="8 5 3 1 8 5 3 1 10 8 5 3 10 8 5 3",
    bass="- 1 1 - - 1 1 - - 1 1 - - 1 8 5",
    level_dbfs=-14,
)

# Acoustic: the figure is the picking hand, the melody is for the whistle.

FOLDED = Song(
    seed=301,
    tonic=55,
    scale=MAJOR,
    tempo_bpm=96,
    form="iivvvvccccco",
    chords="1 5 6 4",
    melody="5 . . 3 2 . 1 . | 2 . . 5 7 . . . | 8 . 6 . 3 . . . | 6 . . 4 8 . . . |"
    "10 . 8 . 5 . 3 . | 9 . 7 . 5 . . . | 8 . 10 . 6 . 8 . | 8 . 6 . 4 . . .",
    figure="1 5 8 10 5 8 10 8",
    bass="1 . . . 5 . 1 .",
    level_dbfs=-20.3,
)
UPSTREAM = Song(
    seed=302,
    tonic=50,
    scale=MAJOR,
    tempo_bpm=132,
    form="iiiivvvvvvccccccccccoo",
    chords="1 6 4 5",
    melody="10 . . 9 8 . | 6 . . . 8 . | 8 . 9 . 11 . | 9 . . . . . |"
    "12 . . 10 8 . | 10 . . 8 6 . | 8 . . 9 8 . | 7 . 9 . . .",
    figure="1 8 10 12 10 8",
    bass="1 . . . 5 .",
    beats=3,
    level_dbfs=-19.5,
)
NEWSPRINT_SAILS = Song(
    seed=303,
    tonic=57,
    scale=MINOR,
    tempo_bpm=84,
    form="ivvvcccvcco",
    chords="1 7 6 7 1 4 6 5",
    melody="5 . 3 . 1 . . . | 2 . . 4 2 . 0 . | 1 . . 3 6 . . . | 7 . 4 . 2 . . . |"
    "3 . 5 . 8 . . . | 8 . 6 . 4 . 6 . | 6 . 8 . 10 . 8 . | 7 . 5 . 2 . . .",
    figure="1 5 8 5 10 8 5 8",
    bass="1 . . 1 5 . . .",
    level_dbfs=-21,
)
PUDDLE_ATLANTIC = Song(
    seed=304,
    tonic=48,
    scale=MIXOLYDIAN,
    tempo_bpm=108,
    form="iivvvvcccvccco",
    chords="1 7 4 1",
    melody="8 . 9 10 . 8 12 . | 11 . 9 . 7 . 9 . | 8 . 6 8 . 6 4 . | 5 . 8 . . . - -",
    figure="1 8 5 10 8 5 10 8",
    bass="1 . 1 . 5 . 8 5",
    level_dbfs=-19,
)
INK_RUNNING = Song(
    seed=305,
    tonic=52,
    scale=DORIAN,
    tempo_bpm=116,
    form="iivvvvvcccccccccoo",
    chords="1 4 1 7",
    melody="8 . . 10 . 9 | 8 . . 6 . . | 5 . . 8 . 9 | 7 . . . . . |"
    "12 . . 10 . 9 | 11 . . 10 . 8 | 9 . 8 . 5 . | 7 . . 8 . .",
    figure="1 5 8 10 8 5",
    bass="1 . . 5 . .",
    beats=3,
    level_dbfs=-22,
)
RAIN_GAUGE = Song(
    seed=306,
    tonic=53,
    scale=MAJOR,
    tempo_bpm=100,
    form="iivvvvcccccco",
    chords="1 4 6 5",
    melody="3 . 5 . 8 . 5 . | 6 . . . 4 . . . | 3 . 1 . 3 . 6 . | 5 . . . . . 2 .",
    figure="1 8 5 8 10 8 5 8",
    bass="1 . . 5 1 . . .",
    level_dbfs=-20,
)
HALF_A_LETTER = Song(
    seed=307,
    tonic=46,
    scale=MAJOR,
    tempo_bpm=90,
    form="iivvvcccccoo",
    chords="1 3 4 6 5",
    melody="8 . . 10 12 . . . | 10 . 9 . 7 . 5 . | 8 . . 6 8 . . . | 10 . 8 . 6 . . . | 9 . . . 7 . . .",
    figure="1 5 10 8 12 8 10 5",
    bass="1 . . . 1 . 5 .",
    level_dbfs=-20,
)

# A session: bass, strummed chords, keys; the melody is sung, and the figure is where the keys play their chord.

FIRST_TAKE = Song(
    seed=401,
    tonic=50,
    scale=MAJOR,
    tempo_bpm=100,
    form="ivvvvccccbvvccco",
    chords="1 5 6 4",
    melody="5 . 5 6 5 . 3 . | 2 . 2 3 2 . . - | 3 . 3 5 6 . 5 . | 4 . 3 . 1 . . -|"
    "8 . . 7 5 . 6 5 | 7 . . 5 2 . . - | 8 . 9 8 6 . 5 6 | 6 . 5 . 4 . . -",
    figure="1 . - 1 - 1 . -",
    bass="1 . - 1 1 . 5 .",
    level_dbfs=-20,
)
