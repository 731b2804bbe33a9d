"""The whole command line: that of a run, and what people do with what it left behind.

Each command imports what it needs when it runs, so that `lathe --help` answers at once.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli import SOME_REJECTED, cli, run_command_line

if TYPE_CHECKING:
    from review.desk import Desk

WORDS = ("approve", "reject", "needs_work")
STEPS = {
    "brighter": ("tone_steps", 1), "darker": ("tone_steps", -1),
    "louder": ("loudness_steps", 1), "quieter": ("loudness_steps", -1),
    "wider": ("width_steps", 1), "narrower": ("width_steps", -1),
    "less-limiting": ("limiting_steps", -1),
}  # fmt: skip
"""What may be asked for in steps: option -> field of a revision, and its sign."""


@cli.command()
@click.argument("output")
@click.option("--against", metavar="RUN", help="The run to compare with; else each track with what it was before.")
def report(output: str, against: str | None) -> int:
    """Writes OUTPUT/report/index.html from the Parquet files alone."""
    from review.report import write_report

    click.echo(write_report(_output(output), against))
    return 0


def desk_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Where decisions are kept, and how many persons must approve."""
    for option in (
        click.option(
            "--two-person",
            is_flag=True,
            envvar="LATHE_REVIEW_TWO_PERSON",
            show_envvar=True,
            help="A track is approved when two reviewers approve it.",
        ),
        click.option(
            "--database",
            metavar="URL",
            envvar="LATHE_REVIEW_DATABASE",
            show_envvar=True,
            help="Where decisions are kept: postgresql://...; else SQLite in OUTPUT/review.",
        ),
    ):
        command = option(command)
    return command


@cli.command()
@click.argument("output")
@desk_options
@click.option("--host", help="Answer on this address too, to those who were invited; without it only this machine.")
@click.option("--port", type=click.IntRange(1, 65_535), help="8765 where it is free, unless one is given.")
@click.option("--address", metavar="URL", help="Where browsers reach it, where a proxy (for https) stands before it.")
@click.option("--secret", type=click.Path(), help="File of what sessions are signed with; else OUTPUT/review/secret.")
@click.option("--reviewer", help="Your name in decisions; else your login name. Without --host only.")
@click.option(
    "--invite", "invited", metavar="NAME:ROLE", help="Print a link for a viewer, reviewer or operator, and end."
)
@click.option(
    "--days", type=click.FloatRange(min=0.01), default=30.0, show_default=True, help="How long the link lasts."
)
@click.option("--no-browser", is_flag=True, help="Open no browser.")
def review(
    output: str,
    database: str | None,
    two_person: bool,
    invited: str | None,
    days: float,
    no_browser: bool,
    **asked: Any,
) -> int:
    """Serves the report of OUTPUT with audio and sign-off, until Ctrl-C."""
    from review.serving import Serving, invitation_link, serve
    from review.tokens import parsed_invitation

    serving = Serving(browser=not no_browser, **asked)
    if invited is not None:
        _check_invitation(serving)
        click.echo(invitation_link(_output(output), parsed_invitation(invited, days), serving))
        return 0
    return serve(_desk(output, database, two_person), serving)


@cli.group()
def signoff() -> None:
    """What reviewers decided: listed, taken in from a file, written out, or decided from a script."""


@signoff.command("list")
@click.argument("output")
@desk_options
@click.option("--json", "as_json", is_flag=True, help="Every track as one JSON object on stdout.")
def list_states(output: str, database: str | None, two_person: bool, as_json: bool) -> int:
    """How many tracks are approved, rejected or open, and which wait for somebody."""
    import msgspec

    from review.signoff import listed, listed_text

    found = listed(_desk(output, database, two_person))
    click.echo(msgspec.json.encode(found).decode() if as_json else listed_text(found))
    return 0


@signoff.command("import")
@click.argument("output")
@click.argument("file", type=click.Path(path_type=Path))
@desk_options
@click.option("--reviewer", help="Who decided, whatever the file says.")
def import_decisions(output: str, file: Path, database: str | None, two_person: bool, reviewer: str | None) -> int:
    """Takes in the decisions of FILE, as the report exports them: all of them, or none."""
    from pipeline.words import say
    from review.signoff import take_in

    found = take_in(_desk(output, database, two_person), file, reviewer)
    say("\n".join([*found.notes, f"{found.added} decisions taken in, {found.known} were known"]))
    return 0


@signoff.command("export")
@click.argument("output")
@click.argument("file", type=click.Path(path_type=Path))
@desk_options
def export_decisions(output: str, file: Path, database: str | None, two_person: bool) -> int:
    """Writes every decision to FILE as JSON (- for stdout)."""
    from review.signoff import exported

    content = exported(_desk(output, database, two_person))
    with click.open_file(str(file), "wb", atomic=str(file) != "-") as handle:
        handle.write(content)
    return 0


def revision_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What the next run is asked to do otherwise."""
    options = [
        *(click.option(f"--{name}", type=click.IntRange(1, 3), metavar="1..3", help="Steps.") for name in STEPS),
        click.option(
            "--tone-amount", type=click.FloatRange(0.0, 1.0), metavar="0..1", help="Share of the tone correction."
        ),
        click.option("--leave-alone", is_flag=True, help="Only loudness, ceiling and format of the delivery."),
        click.option("--reference", metavar="URI", help="Another recording to lean to."),
        click.option("--as-before", is_flag=True, help="Ask for nothing any more: clears what was asked for."),
        click.option("--scope", type=click.Choice(("track", "album")), default="track", show_default=True),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@signoff.command()
@click.argument("output")
@click.argument("track_id")
@click.argument("word", type=click.Choice(WORDS))
@desk_options
@click.option("--reviewer", required=True, help="Who decides.")
@click.option("--reason", default="", help="Why, in a line.")
@click.option("--note", default="", help="Anything more.")
@revision_options
def decide(output: str, track_id: str, word: Any, database: str | None, two_person: bool, **asked: Any) -> int:
    """Decides about the masters of TRACK_ID that stand, and may ask the next run to do otherwise."""
    from pipeline.words import say
    from review.desk import Asked

    desk = _desk(output, database, two_person)
    track = desk.catalogue.standing().get(track_id)
    reviewer, scope, reason, note = (asked.pop(name) for name in ("reviewer", "scope", "reason", "note"))
    one = Asked(
        track_id=track_id,
        masters_key=track.key if track else "",
        word=word,
        reason=reason,
        note=note,
        scope=scope,
        revision=_revision(asked),
    )
    (taken,) = desk.decide([one], reviewer)
    say(f"decision {taken.number}: {word} {track_id} ({desk.states([track_id])[track_id].state})")
    return 0


@signoff.command()
@click.argument("output")
@click.argument("number", type=click.IntRange(min=1))
@desk_options
@click.option("--reviewer", required=True, help="Who takes it back.")
def undo(output: str, number: int, database: str | None, two_person: bool, reviewer: str) -> int:
    """Takes back the decision NUMBER; whoever may write to OUTPUT may take back anybody's."""
    from pipeline.words import say

    (taken,) = _desk(output, database, two_person).undo([number], reviewer, operator=True)
    say(f"decision {taken.number}: decision {number} counts no more")
    return 0


@cli.command()
@click.argument("output")
@desk_options
@click.option("--to", metavar="FOLDER", help="A folder or gs://... of its own; else OUTPUT/released.")
@click.option("--dry-run", is_flag=True, help="Say what would be released and withdrawn; copy nothing.")
def release(output: str, database: str | None, two_person: bool, to: str | None, dry_run: bool) -> int:
    """Copies what is approved to OUTPUT/released, with a manifest and checksums, and withdraws what is approved no more.

    Ends with 1 where an approved master is not the file that was approved.
    """
    from pipeline.words import say
    from review.release import release as made
    from review.release import released_text

    found = made(_desk(output, database, two_person), to, dry_run=dry_run)
    say(released_text(found))
    return SOME_REJECTED if found.problems else 0


def main() -> None:
    """The command `lathe`."""
    run_command_line(after_run=_written_report)


def _written_report(output: str) -> str:
    """Where the report of a run that has ended is; a run stays well where only its report cannot be written."""
    from review.report import write_report

    try:
        return write_report(output)
    except Exception as error:  # whatever it was: the masters stand, and the run's own summary must be told
        return f"not written ({type(error).__name__}: {error}); once that is mended: lathe report {output}"


def _output(output: str) -> str:
    from pipeline.workplace import checked_output

    return checked_output(output)


def _desk(output: str, database: str | None, two_person: bool) -> Desk:
    from review.desk import Desk

    return Desk(_output(output), database, two_person=two_person)


def _check_invitation(asked: Any) -> None:
    if asked.host is None and asked.address is None:
        raise click.UsageError("--invite needs --host, or --address: the link leads there")


def _revision(asked: dict[str, Any]) -> Any:
    """What was asked for as a revision; None where nothing was."""
    from schemas.signoff import Revision

    found: dict[str, Any] = {}
    for name, (field, sign) in STEPS.items():
        steps = asked[name.replace("-", "_")]
        if steps is not None and field in found:
            raise click.UsageError(f"--{name} contradicts another option about {field.removesuffix('_steps')}")
        if steps is not None:
            found[field] = sign * steps
    more = {"tone_amount_ratio": asked["tone_amount"], "reference": asked["reference"]}
    found |= {name: value for name, value in more.items() if value is not None}
    found |= {"leave_alone": True} if asked["leave_alone"] else {}
    if found and asked["as_before"]:
        raise click.UsageError("--as-before asks for nothing: leave out the other wishes")
    return Revision(**found) if found or asked["as_before"] else None
