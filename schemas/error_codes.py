"""Codes of what did not start (`refused`) and of tracks without a master (`rejected`), with their words."""

from __future__ import annotations

from schemas.wording import NEVER, Words

_AGAIN = "Copy or export the file again and compare checksums."

ERROR_CODES: dict[str, Words] = {
    "MANIFEST_MISSING": Words(
        "refused", "No manifest", "There is no file or folder where the manifest should be.",
        "The path was opened.", "Correct the path.", NEVER,
    ),
    "MANIFEST_FORMAT": Words(
        "refused", "Unknown manifest format", "A manifest is CSV, JSONL, Parquet or a folder of audio files.",
        "By the ending of its name.", "Rename or convert it.", NEVER,
    ),
    "MANIFEST_EMPTY": Words(
        "refused", "Empty manifest", "The manifest names no track.",
        "Rows were counted.", "Give at least one row, or a folder with audio files.", NEVER,
    ),
    "MANIFEST_UNREADABLE": Words(
        "refused", "Manifest cannot be read", "The file is broken: its lines or its encoding; each place is listed.",
        "The whole file was read.", "Write it again with the program that it came from.", NEVER,
    ),
    "MANIFEST_INVALID": Words(
        "refused", "Errors in the manifest", "Rows or columns break a rule; each is listed with row, column and value.",
        "Every row was checked before anything was rendered.", "Correct the rows that are listed.", NEVER,
    ),
    "MANIFEST_CHANGED": Words(
        "refused", "Manifest changed during the run", "The manifest was replaced between planning and reading.",
        "Its tracks were counted again by the workers.", "Run again; publish manifests by renaming.", NEVER,
    ),
    "REVIEW_UNREADABLE": Words(
        "refused", "Reviewers' instructions cannot be read",
        "`review/overrides.json` in the output is broken, or has a field, a value or a version that this Lathe does not know.",
        "The whole file was read before anything was rendered.",
        "Let `lathe review` or `lathe signoff` write it again, correct the place that is named, or remove the file to ask for"
        " nothing.", NEVER,
    ),
    "PROFILE_UNKNOWN": Words(
        "refused", "Unknown profile", "No built-in profile has this name.",
        "By name.", "Use one that `lathe profiles` lists, or a path that ends in .toml.", NEVER,
    ),
    "PROFILE_UNREADABLE": Words(
        "refused", "Profile cannot be read", "The profile's file is missing or is no text.",
        "The file was opened.", "Correct the path.", NEVER,
    ),
    "PROFILE_INVALID": Words(
        "refused", "Errors in the profile", "A key is unknown or a value is out of range; each is listed with its line.",
        "The whole profile was checked.", "Correct the lines that are listed.", NEVER,
    ),
    "TARGET_UNKNOWN": Words(
        "refused", "Unknown target", "No built-in target has this name.",
        "By name.", "Use one that `lathe targets` lists, or a path that ends in .toml.", NEVER,
    ),
    "TARGET_UNREADABLE": Words(
        "refused", "Target cannot be read", "The target's file is missing or is no text.",
        "The file was opened.", "Correct the path; in a profile it counts from the profile's own folder.", NEVER,
    ),
    "TARGET_INVALID": Words(
        "refused", "Errors in the target",
        "A rule names no measure, or a key or a value is wrong; each is listed with its line.",
        "The whole target was checked.", "Correct the lines that are listed.", NEVER,
    ),
    "STYLE_UNKNOWN": Words(
        "refused", "Unknown style", "No built-in style has this name.",
        "By name.", "Use one that `lathe styles` lists, or a path that ends in .toml.", NEVER,
    ),
    "STYLE_UNREADABLE": Words(
        "refused", "Style cannot be read", "The style's file is missing or is no text.",
        "The file was opened.", "Correct the path; in a profile it counts from the profile's own folder.", NEVER,
    ),
    "STYLE_INVALID": Words(
        "refused", "Errors in the style",
        "A key is unknown or a value out of range; each is listed with its line.",
        "The whole style was checked.", "Correct the lines that are listed.", NEVER,
    ),
    "NORM_UNKNOWN": Words(
        "refused", "Unknown norm", "No built-in norm has this name.",
        "By name.", "Use `popular` or `speech`, or a path that ends in .toml.", NEVER,
    ),
    "NORM_UNREADABLE": Words(
        "refused", "Norm cannot be read", "The norm's file is missing or is no text.",
        "The file was opened.", "Correct the path; in a profile it counts from the profile's own folder.", NEVER,
    ),
    "NORM_INVALID": Words(
        "refused", "Errors in the norm",
        "A key is unknown, a curve has not 31 bands or a value is out of range; each is listed with its line.",
        "The whole norm was checked.", "Correct the lines that are listed.", NEVER,
    ),
    "CHOICE_INVALID": Words(
        "refused", "Choice out of range", "A value that was chosen beyond the profile is not one of those allowed.",
        "By its range.", "Choose within the range that is told.", NEVER,
    ),
    "MICROPHONES_TOO_FEW": Words(
        "refused", "Too few microphones", "Gain sharing needs two microphones or more that are not mute.",
        "They were counted.", "Give all files of the event, their folder, or a manifest with a row for each.", NEVER,
    ),
    "MICROPHONE_REPEATED": Words(
        "refused", "A microphone comes twice", "Two of the files given are one, or hold the same bytes: it would count twice.",
        "By place and by SHA-256.", "Leave one of them out.", NEVER,
    ),
    "REFERENCE_MISSING": Words(
        "refused", "Reference missing", "A recording that the masters should sound like is not there.",
        "It was looked for.", "Correct the path; in a profile it counts from the profile's own folder.", NEVER,
    ),
    "UNKNOWN_SUBJECT": Words(
        "refused", "Nothing to explain", "`lathe explain` knows neither a code nor a track of that name.",
        "Codes, then track ids, ISRCs and titles of the newest run were searched.",
        "Use a name that the summary or the Parquet files show.", NEVER,
    ),
    "STORE_UNKNOWN": Words(
        "refused", "Unknown store", "The path names a store that this installation cannot reach.",
        "By its scheme.", "Use a local path or gs://, or install Beam's filesystem for it (s3://: `apache-beam[aws]`).", NEVER,
    ),
    "NOTHING_SELECTED": Words(
        "refused", "No track selected", "`--only` and `--limit` leave no track of the manifest.",
        "Rows were counted.", "Widen the pattern.", NEVER,
    ),
    "PRICES_UNREADABLE": Words(
        "refused", "Price table cannot be read", "The price table's file is missing or is no text.",
        "The file was opened.", "Correct the path; it ends in .toml.", NEVER,
    ),
    "PRICES_INVALID": Words(
        "refused", "Errors in the price table", "A key is unknown or a value is out of range; it is told with its line.",
        "The whole table was checked.", "Correct the line that is told; pipeline/prices.toml shows every key.", NEVER,
    ),
    "OUTPUT_EMPTY": Words(
        "refused", "No finished run", "Review, sign-off and release need an output that a run has finished in.",
        "The records in `runs/` were read.", "Give the OUTPUT of a `lathe run`; wait for the run that is under way.", NEVER,
    ),
    "DATABASE_UNUSABLE": Words(
        "refused", "Decisions cannot be kept", "The database for decisions is of an unknown kind, does not answer, or refuses.",
        "It was opened; what it answered is told.",
        "Give --database postgresql://USER:PASSWORD@HOST/NAME; without it, a folder of this machine that can be written.", NEVER,
    ),
    "SIGNOFF_INVALID": Words(
        "refused", "Errors in a file of decisions", "Decisions break a rule or are about no track of the output; each is listed.",
        "The whole file was checked before any of it was taken in.",
        "Correct what is listed, or export the file again from the report.", NEVER,
    ),
    "SIGNOFF_REFUSED": Words(
        "refused", "Decision not taken", "It is about masters that stand no more, about no track, or undoes what it may not.",
        "Against the masters of the newest finished run.",
        "Load the report again, listen, and decide about these masters.", NEVER,
    ),
    "REVIEWER_INVALID": Words(
        "refused", "No such reviewer", "A reviewer has a name of printable characters and, over a network, a role.",
        "By its characters, and the list of roles.", "Give a name as --reviewer NAME, or --invite NAME:ROLE.", NEVER,
    ),
    "SECRET_MISSING": Words(
        "refused", "No secret for sessions", "The file that sessions are signed with cannot be made, read or trusted.",
        "`OUTPUT/review/secret`, or the file of --secret, was opened.",
        "Give write access to OUTPUT/review, or --secret FILE where OUTPUT is no folder of this machine.", NEVER,
    ),
    "ADDRESS_UNUSABLE": Words(
        "refused", "Cannot listen there", "The port is taken, or the address is none of this machine's.",
        "The system refused it.", "Give another --port or --host.", NEVER,
    ),
    "RELEASE_REFUSED": Words(
        "refused", "Not a folder for a release", "A release owns its folder: what is not approved is moved out of it.",
        "By what stands in the folder, and by the mark that a release leaves there.",
        "Give an empty folder, or leave out --to.", NEVER,
    ),
    "SOURCE_MISSING": Words(
        "rejected", "Source missing", "There is no file at the manifest's uri.",
        "The file was looked up.", "Upload the file or correct the uri.", NEVER,
    ),
    "SOURCE_NOT_A_FILE": Words(
        "rejected", "Source is a folder", "The uri names a folder.",
        "The file was looked up.", "Give the audio file itself.", NEVER,
    ),
    "SOURCE_EMPTY": Words(
        "rejected", "Source is empty", "The file has no bytes.", "Bytes were counted.", _AGAIN, NEVER,
    ),
    "SOURCE_UNREADABLE": Words(
        "rejected", "Not an audio file", "The file cannot be opened as audio, or its store does not hand it out.",
        "By its content, not its name; a store is asked for two minutes.",
        "Give WAV, FLAC or AIFF; if the store failed, run again when it is well.", NEVER,
    ),
    "SOURCE_CORRUPT": Words(
        "rejected", "Source is damaged", "The audio breaks off in the decoder, or a FLAC's MD5 does not match its audio.",
        "Every frame was decoded; MD5 over the decoded samples (RFC 9639).", _AGAIN, NEVER,
    ),
    "SOURCE_TRUNCATED": Words(
        "rejected", "Source is cut short", "The file holds less audio than its header promises.",
        "Bytes and frames against the header.", _AGAIN, NEVER,
    ),
    "SOURCE_NOT_FINITE": Words(
        "rejected", "NaN or infinity in the source", "A float file holds values that are no sound.",
        "Every sample was looked at.", "Render the mix again; a plug-in has failed.", NEVER,
    ),
    "SOURCE_OUT_OF_RANGE": Words(
        "rejected", "Values far beyond full scale", "A float file holds values above 16 (+24 dBFS): not sound at full scale 1.0.",
        "Every sample was looked at.", "Export again with full scale at 1.0 (integers were stored as floats).", NEVER,
    ),
    "SOURCE_SILENT": Words(
        "rejected", "Silent track", "Nothing in the track is louder than -70 LUFS: it has no loudness to master to.",
        "Integrated loudness, BS.1770-5.", "Check the export; distributors refuse silent tracks.",
        "If the silence is meant, deliver it without Lathe.",
    ),
    "SOURCE_TOO_SHORT": Words(
        "rejected", "Track too short", "The track is shorter than one gating block, so its loudness is not defined.",
        "Frames over rate, against `source.min_duration_s`.", "Join it to its neighbour.", NEVER,
    ),
    "SOURCE_CHANGED": Words(
        "rejected", "Source changed during the run", "The file is not the one that was analysed.",
        "SHA-256 before analysis and before rendering.", "Run again when the upload is complete.", NEVER,
    ),
    "RATE_UNSUPPORTED": Words(
        "rejected", "Sample rate not accepted", "The rate lies outside what the profile takes.",
        "From the file's header, against `source.min_rate_hz` and `source.max_rate_hz`.",
        "Give the recording at its original rate.", "Widen the range in a profile of your own.",
    ),
    "CHANNELS_UNSUPPORTED": Words(
        "rejected", "Channel count not accepted", "Lathe masters mono and stereo.",
        "From the file's header, against `source.max_channels`.", "Give a stereo mix.", NEVER,
    ),
    "HASH_MISMATCH": Words(
        "rejected", "Not the file that was announced", "The file's SHA-256 is not the manifest's.",
        "SHA-256 over the whole file.", "Copy the file again, or correct the manifest.", NEVER,
    ),
    "DURATION_MISMATCH": Words(
        "rejected", "Not the announced length", "The length differs from the manifest's by more than the profile allows.",
        "Frames over rate, against `source.max_duration_error_s`.", "Check whether it is the right recording.", NEVER,
    ),
    "RUNNER_MISSING": Words(
        "refused", "Runner not at hand", "The program of the runner that was asked for is not there.",
        "It was looked for on PATH, or where `--prism_location` says.", "Install it, or name another runner.", NEVER,
    ),
    "TRACK_REPEATED": Words(
        "rejected", "Came again before it was mastered",
        "Another manifest named the track again while its album was waiting for more tracks; that manifest counts.",
        "By `track_id`, among the manifests of an album with `track_total`.", "Nothing, or send one manifest.", NEVER,
    ),
    "ALBUM_CLASH": Words(
        "rejected", "Manifests of an album disagree",
        "Two manifests of one album give two tracks the same place or name, or the album two profiles.",
        "By disc, sequence, name of the master and profile, when its tracks met.", "Correct the manifest that is wrong.", NEVER,
    ),
    "ALBUM_NOT_WHOLE": Words(
        "rejected", "Album not whole", "The manifest tells of more tracks than have come; an album is decided whole or not.",
        "Tracks that came, measured or rejected, were counted against `track_total`; a watch waits for them until a deadline.",
        "Give the missing tracks, or correct `track_total`; left out, the rows of a manifest are the album.", NEVER,
    ),
    "OUTPUT_NOT_WRITABLE": Words(
        "rejected", "Master could not be written", "The disk is full or may not be written, or the store does not answer.",
        "The system refused to write; a store is asked for two minutes.",
        "Make room, or wait for the store, then run again: what is done stays done.", NEVER,
    ),
    "OUTPUT_TOO_LARGE": Words(
        "rejected", "Master too large for a WAV", "A plain WAV holds at most 4 GiB.",
        "Bytes were counted while writing.", "Deliver this track as FLAC.", NEVER,
    ),
    "MASTER_DAMAGED": Words(
        "rejected", "Master failed its proof", "The file that was written does not decode to what was rendered.",
        "The finished file was decoded and its frames counted before it was published.",
        "Check the disk, then run again.", NEVER,
    ),
    "OPEN_FILES_LIMIT": Words(
        "rejected", "Too many stems for this machine", "A song needs more files open at once than the system allows a process.",
        "Its stems and what is written of it were counted, against the hard limit of open files.",
        "Raise the limit (`ulimit -Hn`, or `LimitNOFILE` of a service), or ask for fewer files of the song.", NEVER,
    ),
    "MIX_SETTINGS_INVALID": Words(
        "rejected", "Errors in the settings of a mix",
        "A settings file that was edited has an unknown field, a value out of range, or another version; the field is named.",
        "The whole file was read before anything of the song was rendered.",
        "Correct the field that is named, or take it out: what is missing is decided anew.", NEVER,
    ),
    "MIX_SETTINGS_OTHER_SESSION": Words(
        "rejected", "Settings of another session",
        "The settings are about another song, about stems that the song has not, or about other recordings of them.",
        "By `mix_id`, `stem_id` and the SHA-256 of each stem.",
        "Give the settings of this session; take out a `sha256` to use settings on purpose for a new recording.", NEVER,
    ),
    "INTERNAL_ERROR": Words(
        "rejected", "Unforeseen error", "Something failed that Lathe does not know; the log has the trace.",
        "An exception was caught at the track's step.", "Report it with the log.", NEVER,
    ),
}  # fmt: skip
