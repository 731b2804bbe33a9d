"""The command line. Data on stdout, words on stderr; 0 all well, 1 some tracks rejected, 2 wrong usage, 3 a crash.

Each command imports what it needs when it runs, so that `lathe --help` answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from pipeline.options import choices_of, request_of, run_options, taste_options

if TYPE_CHECKING:
    from pipeline.forecast import Forecast

SOME_REJECTED, WRONG_USAGE, CRASH, INTERRUPTED = 1, 2, 3, 130
AfterRun = Callable[[str], str]
"""Told the output of a run that has ended; tells where it can be looked at."""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="lathe", prog_name="lathe")
def cli() -> None:
    """Remasters a record label's catalogue: measures, decides album by album, renders, and proves every master."""


@cli.command()
@click.argument("manifest")
@run_options
@click.option("--retry-rejected", is_flag=True, help="Only what earlier runs rejected, or were stopped before.")
@click.option(
    "--priority", is_flag=True, help="Runs into OUTPUT, and on this machine, wait between tracks for this one."
)
@click.option("--dry-run", is_flag=True, help="Say what would be done and why, and what it would take; write nothing.")
@click.option("--prices", metavar="FILE", help="Your own price table for --dry-run (.toml).")
@click.pass_obj
def run(after_run: AfterRun | None, /, as_json: bool, dry_run: bool, prices: str | None, **asked: Any) -> int:
    """Masters the tracks of MANIFEST (.csv, .jsonl, .parquet or a folder of audio) into OUTPUT."""
    from pipeline import run as runs
    from pipeline.retry import NothingToRetry
    from pipeline.words import ProgressLine, say, summary_text

    request = runs.Request(**request_of(asked))
    try:
        if dry_run:
            return _print_forecast(runs.dry_run(request, prices), as_json)
        if runs.is_template(request.beam_options):
            say(f"the graph of run {runs.write_template(request)} is written; the service that runs it counts nothing")
            return 0
        with ProgressLine() as progress:
            summary = runs.run_catalogue(request, progress)
    except NothingToRetry as good:
        say(str(good))
        summary = runs.nothing_done(request)
    else:
        say(summary_text(summary, after_run(summary.output) if after_run else None))
    if as_json:
        _print_json(runs.contract(summary))
    return SOME_REJECTED if summary.rejected or summary.failed else 0


@cli.command()
@click.argument("manifest")
@run_options
@click.option("--no-master", is_flag=True, help="Make the mixes and no masters of them.")
@click.pass_obj
def mix(after_run: AfterRun | None, /, as_json: bool, no_master: bool, **asked: Any) -> int:
    """Mixes the songs that come as stems in MANIFEST (rows with a mix_id) into OUTPUT, and masters them.

    Other rows are left alone. OUTPUT/mixes/<mix_id>/settings.json holds every setting with its reason: edit it, and give it back
    with --settings.
    """
    from msgspec import structs

    from pipeline import run as runs
    from pipeline.words import ProgressLine, say, summary_text

    request = runs.Request(songs_only=True, **request_of(asked))
    request = structs.replace(request, mixing=structs.replace(request.mixing, master=not no_master))
    with ProgressLine() as progress:
        summary = runs.run_catalogue(request, progress)
    say(summary_text(summary, after_run(summary.output) if after_run else None))
    if as_json:
        _print_json(runs.contract(summary) | {"mixed": summary.mixed})
    return SOME_REJECTED if summary.rejected or summary.failed else 0


@cli.command()
@click.argument("source")
@run_options
@click.option(
    "--patience-s",
    type=click.FloatRange(min=1.0),
    default=86_400.0,
    show_default=True,
    metavar="SECONDS",
    help="How long an album with track_total waits for tracks of other manifests.",
)
@click.pass_obj
def watch(after_run: AfterRun | None, /, source: str, as_json: bool, patience_s: float, **asked: Any) -> int:
    """Masters each manifest that appears in SOURCE, a folder or pubsub://SUBSCRIPTION, into OUTPUT, until Ctrl-C.

    One unbounded pipeline where a runner is named after -- or `prism` is on PATH; else one batch for each manifest. Write a
    manifest under a hidden name and rename it when it is complete.
    """
    from pipeline import run as runs
    from pipeline import watching
    from pipeline.words import say, summary_text

    request = runs.Request(manifest="", **request_of(asked))

    def tell(summary: runs.Summary) -> None:
        say(summary_text(summary, after_run(summary.output) if after_run and summary.run_id else None))
        if as_json:
            _print_json(runs.contract(summary))

    return watching.watch(source, request, patience_s, tell)


@cli.command()
@click.argument("source", type=click.Path())
@click.argument("destination", type=click.Path())
@click.option("--profile", default="streaming", show_default=True, help="A built-in profile or a .toml file.")
@taste_options
@click.option("--json", "as_json", is_flag=True, help="The track's row as one JSON object on stdout.")
def master(source: str, destination: str, profile: str, as_json: bool, **asked: Any) -> int:
    """Masters one file: SOURCE into DESTINATION (.flac or .wav)."""
    from pathlib import Path

    from decisions.choices import chosen
    from decisions.profile_files import load_profile
    from pipeline.one_file import master_file
    from pipeline.words import mastered_text, say

    row = master_file(Path(source), Path(destination), chosen(load_profile(profile), choices_of(asked)))
    say(mastered_text(row))
    if as_json:
        _print_json(row)
    return SOME_REJECTED if row.verdict == "rejected" else 0


@cli.command()
@click.argument("files", nargs=-1, required=True, type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with everything that is known.")
@click.option("--profile", default="streaming", show_default=True, help="Whose limits the findings come from.")
@click.option(
    "--target", "targets", multiple=True, help="Hold against a target: a name or a .toml file; may be repeated."
)
@click.option("--loudness-only", is_flag=True, help="Loudness, its range and true peak alone, in a third of the time.")
@click.option("--dual-mono", is_flag=True, help="Measure a mono file as two equal channels, as it is heard (+3.01 LU).")
@click.option(
    "--as",
    "kind",
    type=click.Choice(("recording", "mix")),
    default="recording",
    show_default=True,
    help="mix: a report on a mix before it is mastered, with words and advice.",
)
@click.option("--style", help="What a mix is to become: a style by name or a .toml file; else the profile's.")
def measure(**asked: Any) -> int:
    """Figures and findings of any audio FILES.

    Ends with 1 if a file could not be measured, or fails a target that was asked for; else with 0.
    """
    from pipeline.measure import Asked, measure_files

    if asked["loudness_only"] and asked["targets"]:
        raise click.UsageError("--target needs every figure: leave out --loudness-only")
    others = asked["loudness_only"] or asked["targets"] or asked["dual_mono"]
    if asked["kind"] == "mix" and others:
        raise click.UsageError("--as mix is a report of its own: leave out --loudness-only, --target and --dual-mono")
    if asked["style"] is not None and asked["kind"] != "mix":
        raise click.UsageError("--style needs --as mix")
    return measure_files(Asked(**asked))


@cli.command()
@click.argument("names", nargs=-1, required=True, metavar="INPUT... OUTPUT", type=click.Path())
@click.option("--mode", type=click.Choice(("speech", "music")), default="speech", show_default=True)
@click.option("--weight", "weights", multiple=True, metavar="NAME=DB", help="Favours a microphone; may be repeated.")
@click.option("--gain", "faders", multiple=True, metavar="NAME=DB", help="A microphone's fader; may be repeated.")
@click.option("--group", "groups", multiple=True, metavar="NAME=GROUP", help="Shares within a group; may be repeated.")
@click.option("--nom", "open_limit", type=click.IntRange(1, 64), help="More open microphones are all turned down.")
@click.option("--depth", "depth_db", type=click.FloatRange(0.0, 80.0), help="Deepest reduction in dB; 15 for music.")
@click.option("--last-hold", is_flag=True, help="The last that spoke stays open.")
@click.option("--original", is_flag=True, help="Dugan's law to the letter, without the floor.")
@click.option("--no-ambience-trim", is_flag=True, help="Leave the ambience as it is, whoever speaks.")
@click.option("--split-stereo", is_flag=True, help="Two microphones in each stereo file.")
@click.option("--stems", is_flag=True, help="Also each microphone as it stands in the mix.")
@click.option("--float", "floating", is_flag=True, help="The mix in floats of 32 bits; else in 24 bits.")
@click.option("--gains", type=click.Choice(("parquet", "csv")), default="parquet", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="What was done as one JSON object on stdout.")
def automix(names: tuple[str, ...], as_json: bool, **asked: Any) -> int:
    """Mixes the microphones of a talk, a panel or a podcast by gain sharing: INPUT... into the folder OUTPUT.

    INPUT: files, folders, or a manifest whose rows share a mix_id. A NAME is a file's name without its ending, or a pattern.
    """
    from pipeline.automix import Asked, automix_files, tell

    record = automix_files(Asked(inputs=names[:-1], output=names[-1], **asked))
    tell(record, names[-1])
    if as_json:
        _print_json(record)
    return 0


@cli.group(invoke_without_command=True)
@click.pass_context
def profiles(context: click.Context) -> int:
    """The built-in profiles, and where each value comes from."""
    from decisions.profile_files import built_in, load_profile

    if context.invoked_subcommand is None:
        for name in built_in():
            click.echo(f"{name:<16} {load_profile(name).description}")
    return 0


@profiles.command()
@click.argument("name")
def show(name: str) -> int:
    """A profile as it is written, after all that it is based on; comments tell where values come from."""
    from decisions.profile_files import load_profile, profile_texts

    load_profile(name)
    click.echo("\n".join(f"# ---- {file}\n{text}" for file, text in profile_texts(name)), nl=False)
    return 0


@cli.group(invoke_without_command=True)
@click.pass_context
def styles(context: click.Context) -> int:
    """The built-in styles, and the reason of each value."""
    from decisions.taste_files import STYLES, load_style

    if context.invoked_subcommand is None:
        for name in STYLES.names():
            click.echo(f"{name:<16} {load_style(name).description}")
    return 0


@styles.command("show")
@click.argument("name")
def show_style(name: str) -> int:
    """A style as it is written; comments tell the reason of each value."""
    from decisions.taste_files import load_style, style_text

    load_style(name)
    click.echo(style_text(name), nl=False)
    return 0


@cli.group(invoke_without_command=True)
@click.pass_context
def targets(context: click.Context) -> int:
    """The built-in targets: who takes masters, under which rules, as of when."""
    from decisions.target_files import built_in, load_target

    if context.invoked_subcommand is None:
        for name in built_in():
            target = load_target(name)
            click.echo(f"{name:<16} {target.date}  {target.title} ({target.confidence})")
    return 0


@targets.command("show")
@click.argument("name")
def show_target(name: str) -> int:
    """A target as it is written; comments tell what no figure of a file can."""
    from decisions.target_files import load_target, target_text

    load_target(name)
    click.echo(target_text(name), nl=False)
    return 0


@cli.command()
@click.argument("code_or_track")
@click.option("--output", help="The output of a run, to explain one of its tracks.")
def explain(code_or_track: str, output: str | None) -> int:
    """What a finding means; or why a track was treated as it was."""
    from pipeline.explain import explain as words_for

    click.echo(words_for(code_or_track, output))
    return 0


def run_command_line(after_run: AfterRun | None = None) -> None:
    """Runs the command that the process was started with, and ends it with its exit code.

    `after_run` is told the output of each run that ends; the floor above makes a report of it, and says where it is.
    """
    sys.exit(_exit_code(after_run))


def _exit_code(after_run: AfterRun | None) -> int:
    from schemas.errors import CatalogueError, TrackError

    try:
        return cli.main(standalone_mode=False, obj=after_run) or 0
    except click.ClickException as error:
        error.show()
        return WRONG_USAGE
    except CatalogueError as error:
        _say([*error.problems, f"({error.code})"])
        return WRONG_USAGE
    except TrackError as error:
        _say([f"{error.code}: {error.text}. {error.hint}"])
        return SOME_REJECTED
    except (KeyboardInterrupt, click.Abort):
        _say(["stopped; finished masters stand, run again to continue"])
        return INTERRUPTED
    except Exception as error:  # the last resort: say what happened, keep the trace for a report
        return _crash(error)


def _crash(error: Exception) -> int:
    import traceback

    _say([line.rstrip("\n") for line in traceback.format_exception(error, limit=-6)])
    _say([f"Lathe stopped: {type(error).__name__}: {error}", "Finished masters stand; run again to continue."])
    return CRASH


def _say(lines: list[str]) -> None:
    from transforms.log_lines import json_line, speaks_json

    text = "\n".join(lines)
    click.echo(json_line(text, "ERROR") if speaks_json() else text, err=True)


def _print_json(record: Any) -> None:
    import msgspec

    click.echo(msgspec.json.encode(record).decode())


def _print_forecast(found: Forecast, as_json: bool) -> int:
    from pipeline.words import forecast_text, say

    if as_json:
        _print_json(found)
    else:
        say(forecast_text(found))
    return 0
