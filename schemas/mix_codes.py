"""Codes of findings about the stems of a song, with their words; how each is found stands in `docs/mixing/checks.md`."""

from __future__ import annotations

from schemas.wording import Words

_EXPORT = "Export the stem again from its session."

MIX_CODES: dict[str, Words] = {
    "STEM_RATE_LIES": Words(
        "rejected", "Stem of another rate than its file says",
        "Played at the rate in its header a stem runs too slowly or too fast, and out of tune: no mix can be made of it.",
        "Its length against that of the others is the ratio of two usual rates, and its rhythm fits theirs better when played at"
        " the other one; or the rhythm alone, clearly.",
        "Export the stem again at the session's rate, or correct the rate in its header.",
        "Never; a stem that is meant to differ is locked in the manifest.",
    ),
    "NO_STEMS_LEFT": Words(
        "rejected", "No stem left to mix", "Every stem of the song is silent, muted or left out.",
        "Stems that are used were counted.",
        "Take back a mute, or export again what is silent: the text names each stem with its code.", "Never.",
    ),
    "STEM_SILENT": Words(
        "warn", "Silent stem", "There is nothing to hear in a stem; it is left out.",
        "Sample peak, -80 dBFS at most, or no tenth of a second above -70 LUFS.", _EXPORT, "When the track of it is empty.",
    ),
    "STEM_DUPLICATE": Words(
        "warn", "The same sound twice", "Two stems hold one recording: it would be twice as loud. One of them is left out.",
        "The same bytes; or what is left of one when the other is taken from it at the best gain and delay: -40 dB at most.",
        "Remove one of them from the manifest.", "When it was doubled on purpose: lock both.",
    ),
    "STEM_IS_MIX": Words(
        "warn", "A mix among the stems", "A stem is the sum of others, such as a bounce left in the folder; it is left out.",
        "What is left of it when the others are taken from it, each at its best gain and none below 0: -20 dB at most.",
        "Remove it from the manifest, or name it as `reference`.", "When the parts are to be left out instead: mute them.",
    ),
    "STEM_TWICE": Words(
        "warn", "Two recordings of one source", "Two stems seem to be one source in two microphones; nothing was changed.",
        "Correlation of their sound at the delay that most excerpts agree on: 0.7 at least.",
        "Give both the same `pair`: they are aligned then, and levelled as one.", "When they are doubles played by a machine.",
    ),
    "STEM_RATES_MIXED": Words(
        "info", "Stems of several rates", "Stems differ in sample rate; they are resampled to the most common one.",
        "From the headers of the files.", "Nothing to do.", "Always.",
    ),
    "STEM_LENGTH_DIFFERS": Words(
        "info", "Stems of several lengths", "A stem is shorter or longer than most; all begin together.",
        "Frames over rate: more than 1 s off.", "Check that all stems were exported from the same start.",
        "When only silence at the end was cut off.",
    ),
    "STEM_SHIFTED": Words(
        "warn", "Stem lies off in time", "Against the reference mix a stem comes too early or too late; it is moved.",
        "Delay of each stem against the reference, and what most of them agree on: more than 1 ms off.",
        "Export all stems from the same start.", "When the reference is not to be trusted: leave it out.",
    ),
    "STEM_DELAYED": Words(
        "info", "Microphones of one source lie apart",
        "One sound reaches two microphones at different times, so that their sum cancels at some frequencies; they are aligned.",
        "Generalised cross-correlation: 0.1 to 20 ms, agreed on by 60 % of the excerpts, 4 times as high as its median.",
        "Nothing to do; `lock` keeps a stem where it is.", "When the distance is the sound: declare one as `room`.",
    ),
    "STEM_INVERTED": Words(
        "warn", "Polarity turned over", "Two microphones of one source work against each other; one is turned over.",
        "Correlation of both at their delay: below -0.3.", "Nothing to do; `lock` keeps a stem as it is.",
        "When it is meant.",
    ),
    "STEM_BLEED": Words(
        "info", "Bleed", "One stem is heard in another's microphone.",
        "What both have in common where the one hits and the other has least to say.",
        "Nothing to do: gates and bleed reduction are decided apart.", "When the room is part of the sound.",
    ),
    "STEM_MISSING": Words(
        "warn", "Something is missing", "The reference mix holds sound that no stem has: a stem may be missing.",
        "Third octaves of what is left of the reference when the stems are taken from it: above -12 dB, while others cancel.",
        "Look for the missing stem.", "When the reference has more in it than its stems, such as a reverb.",
    ),
    "STEM_NOT_IN_REFERENCE": Words(
        "warn", "Not in the reference", "A stem that sounds is not in the reference mix: perhaps a wrong file.",
        "Its energy in the sum that comes nearest to the reference: below -40 dB, though it is 25 LU below the loudest at most.",
        "Check whether it belongs to this song and to this take.", "When it was muted in the reference.",
    ),
    "REFERENCE_DIFFERS": Words(
        "info", "Reference is no sum of the stems",
        "Whatever their gains, the stems do not add up to the reference: it was processed, or is of another take.",
        "What is left of the reference when the stems are taken from it: above -12 dB, in every part of the spectrum.",
        "Nothing, if it is a finished mix; else check that it is of these stems.", "When the reference is a mastered mix.",
    ),
    "STEM_CLIPPED": Words(
        "warn", "Clipped stem", "The waveform has flat tops: an input or an export was driven over full scale.",
        "Runs of 3 or more equal samples at the top of a channel's range.", "Record or export it again; nothing is repaired.",
        "When it is distorted on purpose; square waves of a synthesiser are flat too.",
    ),
    "STEM_OFFSET": Words(
        "info", "Constant offset in a stem", "The waveform lies off the zero line; mastering's subsonic filter takes it away.",
        "Mean of each channel: -60 dBFS at least.", "Check the converter.", "Always, if it is small.",
    ),
    "STEM_HUM": Words(
        "info", "Hum in a stem", "A steady tone of 50 or 60 Hz and its harmonics lies under the stem.",
        "How far it stands out of its surroundings in the quietest moments: 15 dB at least.",
        "Ask for a clean recording.", "When it plays that very note throughout, as basses and drones do.",
    ),
    "STEM_NOISE": Words(
        "info", "Noise in a stem's pauses", "What is left in the pauses is less than 45 LU below the music: hiss or bleed.",
        "The quietest tenth of its pauses against its loudness.", "Nothing to do: a gate is decided apart.",
        "When the noise is part of the sound.",
    ),
    "STEM_ROLE_DOUBTFUL": Words(
        "warn", "Does not sound like its role", "A stem's sound contradicts what it is said to be; the word counts.",
        "Its centre of gravity, bass share and percussiveness, against wide bounds for each role.",
        "Check whether it is the right file, and its `role`.", "When it is played unusually.",
    ),
    "STEM_ROLE_UNKNOWN": Words(
        "info", "Role not known", "Neither the manifest nor its name nor its sound tells what a stem is: it counts as other.",
        "By `role`, by words in the name, by its sound.", "Give it a `role`.", "When a mix without roles is good enough.",
    ),
    "TWO_LEADS": Words(
        "warn", "Several leads at once", "Stems that are to lead sound at the same time: none can stand in front of the others.",
        "Share of the shorter one's active time in which the other sounds too: above 0.5.",
        "Give one of them `presence` lead, the others background or the role backing_vocal.", "In duets.",
    ),
    "LEAD_MISSING": Words(
        "info", "No lead vocal", "There are backing vocals, but no lead: perhaps its stem is missing.",
        "By the roles of the stems.", "Look for the lead's stem.", "In instrumentals and choirs.",
    ),
    "ONE_STEM": Words(
        "info", "Only one stem", "There is nothing to balance: the mix is that stem.",
        "Stems that are used were counted.", "Give the other stems, or master it as a mix.", "When it is meant.",
    ),
}  # fmt: skip
