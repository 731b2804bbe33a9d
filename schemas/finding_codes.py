"""Codes of findings about a source or a master, with their words; how each detector works stands in `docs/meters.md`."""

from __future__ import annotations

from schemas.wording import NEVER, Words

_SHOULD_NOT = "Report it: this should not happen."
_LISTEN = "Listen at the places that are listed; ask for another export or repair them by hand."

FINDING_CODES: dict[str, Words] = {
    "SOURCE_CLIPPED": Words(
        "warn", "Clipped source",
        "The waveform has flat tops: a converter or an export was driven over full scale, and what was cut is gone.",
        "Runs of 3 or more equal samples at the top of a channel's range, at full scale or turned down afterwards;"
        " `flat_tops`.",
        "Ask for a mix with headroom. Where only some peaks were cut, masters have them restored: a guess from what is around.",
        "When the clipping is part of the sound; square waves of a synthesiser are flat too.",
    ),
    "SOURCE_OVER_FULL_SCALE": Words(
        "info", "Float source above full scale", "Samples exceed full scale; nothing is lost in a float file.",
        "Sample peak; `float_peak_dbfs`.", "Nothing to do.", "Always, unless the mix was meant to stay below.",
    ),
    "INTER_SAMPLE_OVERS": Words(
        "info", "Overs between the samples",
        "The continuous signal exceeds full scale between samples: players and lossy coders may distort there.",
        "Tenths of a second whose true peak is above 0 dBTP; `inter_sample_overs`.",
        "Nothing for a source that Lathe turns down; else keep masters at -1 dBTP.",
        "In a source, as long as the masters stay below their ceiling.",
    ),
    "CLICKS": Words(
        "warn", "Clicks", "One to eight samples stand out of the waveform: digital errors, bad edits or a scratched record.",
        "What a linear prediction of the waveform misses, matched-filtered, against the 25 ms around it; `clicks`. Clicks that"
        " keep time as a drum machine does are taken for music.", _LISTEN,
        "When the clicks are part of the music, or crackle of a historic recording is kept on purpose.",
    ),
    "DROPOUTS": Words(
        "warn", "Dropouts", "The sound breaks off, in one channel or all, and comes back: a transfer or an export has failed.",
        "Stretches of 1 ms and more below -80 dBFS, or of 2 ms at one value, with music cut off at full height on both sides;"
        " `dropouts`. Those that keep time are taken for music.", _LISTEN,
        "When gates or stutter edits are meant: they are digital zero too, so this asks for a listener.",
    ),
    "NOISE_BURSTS": Words(
        "warn", "Bursts of noise", "Short stretches sound like noise at a level of their own: broken data or a bad contact.",
        "A level plateau of the treble, 5 to 500 ms, that begins and ends at once and is white against the 10 ms before and"
        " after it; `noise_bursts`. Those that keep time are taken for music.", _LISTEN,
        "When they are part of the music.",
    ),
    "ABRUPT_START": Words(
        "warn", "Start cut off", "The track begins in the middle of a sound, which is heard as a click.",
        "Level of the first 0.07 ms, less the constant offset; `first_samples_dbfs`. Not judged where a track joins the one"
        " before.",
        "Ask for an export that begins earlier, or fade in over some milliseconds.",
        "When the hard start is meant, or the track follows another without a gap.",
    ),
    "ABRUPT_END": Words(
        "warn", "End cut off", "The track ends in the middle of a sound: a loop, or an export that stopped too early.",
        "Level of the last samples, less the constant offset; `last_samples_dbfs`. Not judged where a track joins the next.",
        "Ask for an export with the whole decay, or fade out.",
        "When the hard end is meant, or the next track follows without a gap.",
    ),
    "LONG_SILENCE_HEAD": Words(
        "warn", "Long silence at the start", "Distributors refuse tracks that begin with more than 10 s of silence.",
        "Time before the first sound; `head_silence_s`.", "Trim the source.", "When the silence is part of the work.",
    ),
    "LONG_SILENCE_TAIL": Words(
        "warn", "Long silence at the end", "Distributors refuse tracks that end with more than 10 s of silence.",
        "Time after the last sound; `tail_silence_s`.", "Trim the source.", "When the silence is part of the work.",
    ),
    "LONG_SILENCE_INSIDE": Words(
        "warn", "Long silence inside",
        "More than 10 s of silence between two sounding parts: perhaps a hidden track, which distributors refuse.",
        "The longest silence between two sounds; `silence_inside_s`.", "Cut the hidden track out into one of its own.",
        "When the silence is part of the work.",
    ),
    "HUM": Words(
        "info", "Mains hum", "A steady tone of 50 or 60 Hz and its harmonics lies under the music.",
        "How far it stands out of what surrounds it in frequency, in the quietest moments; `hum_db`. Listen: drones do so too.",
        "Ask for a clean transfer, or take it out with narrow filters.", "When a synthesiser plays that very note throughout.",
    ),
    "DC_OFFSET": Words(
        "info", "Constant offset", "The waveform lies off the zero line; the subsonic filter takes it away.",
        "Mean of each channel; `dc_offset_dbfs`. The filter has its own limit, `cleaning.offset_limit_dbfs`.",
        "Nothing to do; check the converter.", "When the masters' checks show a low offset.",
    ),
    "MONO_SOURCE": Words(
        "info", "Mono source",
        "One channel; the master is mono too. Played from two loudspeakers it is 3 LU louder than measured as one channel.",
        "From the file's header; `loudness.dual_mono` in the profile chooses how it is measured.",
        "Give a file with two equal channels if the distributor refuses mono.", "When mono is meant.",
    ),
    "DUAL_MONO": Words(
        "info", "Mono in two channels", "Left and right hold the same signal: mono in a stereo file.",
        "Correlation of left and right over the whole track; `correlation`.",
        "Check whether a stereo mix exists.", "When the recording is mono: distributors want two channels.",
    ),
    "CHANNEL_MISSING": Words(
        "fail", "One channel missing", "Only one of the two channels sounds: a cable, a routing or an export has failed.",
        "Loudness of each channel by itself; `silent_channels`.", "Ask for a whole export.",
        "When sound from one side is meant; raise the limit in a profile.",
    ),
    "CHANNEL_WEAK": Words(
        "info", "Channels out of balance", "One channel is clearly louder than the other over the whole track.",
        "Loudness of left less that of right; `imbalance_lu`.", "Check the transfer; ask for a balanced mix.",
        "When instruments are placed to the sides on purpose, as in early stereo.",
    ),
    "POLARITY_INVERTED": Words(
        "fail", "One channel turned over",
        "The channels move against each other: the middle of the mix vanishes in mono, and the bass is weak everywhere.",
        "Correlation over the whole track; where it is negative, that below 150 Hz if lower; `polarity_correlation`.",
        "Turn the polarity of one channel and give the file again.", NEVER,
    ),
    "BASS_OUT_OF_PHASE": Words(
        "warn", "Bass out of phase", "Left and right work against each other below 150 Hz: weak in mono, not to be cut on vinyl.",
        "Correlation below 150 Hz, where there is bass at all; `bass_correlation`.",
        "Ask for a mix with its bass in the middle.", "When the masters go to headphones only.",
    ),
    "MONO_LOSS": Words(
        "warn", "Lost in mono", "Mixed to one channel, the track becomes much softer: parts of it cancel.",
        "Loudness of the stereo sound less that of its mono sum from two loudspeakers; `mono_loss_lu`.",
        "Ask for a mix that was checked in mono.", "When the width is meant: two unlike channels lose 3 LU.",
    ),
    "UNUSED_BITS": Words(
        "info", "Fewer bits than the file has", "The last bits of the samples never change: made at a lower resolution.",
        "The lowest bit that any sample uses; `unused_bits`.", "Ask whether a better original exists.",
        "When the recording was made at that resolution.",
    ),
    "UPSAMPLED": Words(
        "warn", "Made at a lower rate",
        "The sound ends where a converter of a lower rate ends it: the file was converted up and holds no more than before.",
        "The edge of the spectrum, its steepness and place; `upsampled_from_hz`.",
        "Give the recording at its original rate.", "When nothing else exists; do not sell it as high resolution.",
    ),
    "LOSSY_SOURCE": Words(
        "warn", "Lossy source", "The source is coded with loss; distributors refuse masters made from it.",
        "From the file's codec; `lossy`.", "Ask for the original.", "When nothing else exists.",
    ),
    "LOSSY_TRANSCODE": Words(
        "warn", "Traces of a lossy coder", "The sound seems to have been through MP3, AAC, Vorbis or Opus before.",
        "Where and how steeply the band ends, and the coder's other traces; `transcode_level`: 1 suspect, 2 certain.",
        "Ask for the original; distributors refuse masters made from lossy files.",
        "When the cutoff comes from the recording: old tapes, samples, or filters of the mix.",
    ),
    "HEAVILY_LIMITED": Words(
        "info", "Heavily limited", "Peaks hardly rise above the music: a limiter was driven hard, and no master can undo it.",
        "Share of the music whose peaks lie within 2 dB of the highest, where these lie less than 10 dB above the loudness"
        " (`limited_ratio`); told only: least true peak less loudness of any 3 s (`psr_min_lu`).",
        "Ask for the mix without its limiter.", "When the density is part of the sound.",
    ),
    "NO_SOUND": Words(
        "fail", "Nothing to hear", "The file is silent throughout, or holds no samples at all; no target takes it.",
        "Integrated loudness, BS.1770-5: no block above -70 LUFS; `silent`.", "Check the export.",
        "When silence is what was asked for.",
    ),
    "LIMIT_CROSSED": Words(
        "warn", "Outside a limit of the profile", "A figure lies beyond a bound that the profile's [limits] set for it.",
        "The figure that the finding names, as it is printed.", "See why the profile sets this limit.",
        "When the profile's author agrees.",
    ),
    "SPEC_FAILED": Words(
        "fail", "Breaks a rule of a target", "Who takes this file will refuse it, or play it wrong: the finding names the rule.",
        "Figures of the finished file against `lathe targets show NAME`.",
        "Change the delivery in the profile (rate, bits, container, ceiling), or mend the source: a mono file needs two"
        " equal channels, silence must be trimmed.",
        "When the target has changed its rules: write its file anew and name it by path.",
    ),
    "SPEC_RISK": Words(
        "warn", "At odds with a target", "A rule of a target that is advice, or known second-hand, is broken.",
        "Figures of the finished file against `lathe targets show NAME`.",
        "As for SPEC_FAILED, if the target insists.", "When the target is known to take such files.",
    ),
    "DURATION_DIFFERS": Words(
        "warn", "Length differs from the manifest", "The length differs by more than 1 s, within what the profile allows.",
        "Frames over rate.", "Check whether it is the right version.", "When the manifest is known to be rough.",
    ),
    "TARGET_LIMITED": Words(
        "warn", "Target not reached",
        "Reaching the target would have crushed the music; the gain stops at the limit of the profile, or of a reviewer.",
        "Limiter reduction and the loudest 3 s at several gains, against `limiter.max_reduction_db`,"
        " `max_mean_reduction_db`, `min_psr_lu` and `loudness.max_gain_db`; less for material that is touched lightly.",
        "Accept it, raise the limit in a profile, or take back what a reviewer asked (docs/revisions.md).",
        "When the music is meant to be dynamic.",
    ),
    "REFERENCE_UNUSABLE": Words(
        "warn", "Reference not used",
        "A recording that the track should sound like could not serve, so it was held against the others, or the usual norm.",
        "Each reference was measured: it must decode, sound, last 10 s, and be another recording than the track.",
        "Name another recording, or correct its path.", "When the usual norm is good enough.",
    ),
    "LOUDNESS_OFF_TARGET": Words(
        "fail", "Loudness off target", "The masters' loudness misses the target by more than the tolerance.",
        "BS.1770-5 on the decoded masters: pooled over the album, or of its loudest track, by the mode of the profile.",
        _SHOULD_NOT, NEVER,
    ),
    "TRUE_PEAK_OVER": Words(
        "fail", "True peak over the ceiling", "The continuous signal exceeds the ceiling by more than 0.05 dB.",
        "32 times oversampled, on the decoded master.", _SHOULD_NOT, NEVER,
    ),
    "SAMPLE_PEAK_OVER": Words(
        "fail", "Sample over the ceiling", "A sample of the master exceeds the ceiling.",
        "Sample peak of the decoded master.", _SHOULD_NOT, NEVER,
    ),
    "ALBUM_INCOMPLETE": Words(
        "warn", "Album incomplete", "Tracks of the album were rejected; its loudness was decided from the others.",
        "Rejected tracks of the album were counted.", "Mend the rejected tracks and run again: the gain may move.",
        "When the album is released without them.",
    ),
}  # fmt: skip
