"""The whole command line: that of a run, and what people do with what it left behind.

Each command imports what it needs when it runs, so that `lathe --help` answers at once.
"""

from __future__ import annotations

import click

from pipeline.cli import cli, run_command_line


@cli.command()
@click.argument("output")
def report(output: str) -> int:
    """Writes OUTPUT/report/index.html from the Parquet files alone."""
    from review.report import write_report

    click.echo(write_report(output))
    return 0


def main() -> None:
    """The command `lathe`."""
    run_command_line(after_run=_written_report)


def _written_report(output: str) -> str:
    from review.report import write_report

    return write_report(output)
