#!/usr/bin/env python3
"""Starts Lathe from a Dataflow Flex Template: its named parameters become the words of a command line.

usage: launcher.py --manifest=gs://... --output=gs://... [--NAME=VALUE ...] [BEAM OPTIONS]
       launcher.py --metadata        prints what the template may be told (metadata.json)

The parameters are those of the command line itself, read from `pipeline.cli`; what is none of them goes to Beam.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from typing import Any

import click

import review.cli
from pipeline import cli

COMMANDS = ("run", "watch")
"""Commands that a template may start, the usual one first."""
STREAMING = {"watch"}
NOT_OFFERED = {"beam_options", "as_json", "dry_run", "prices"}
"""What has no meaning where nobody reads the answer."""
BETWEEN = ";"
"""Between the values of a parameter that may have several."""
PLACE = r"gs://[^/;]+(/[^;]*)?"
ARGUMENTS = {
    "source": "The folder in which manifests appear, gs://..., or pubsub://projects/P/subscriptions/S.",
    "manifest": "A .csv, .jsonl or .parquet file, or a folder of audio; gs://...",
    "output": "Where masters, figures and the ledger are written: gs://... Give each night the same, or all is mastered again.",
}


def parameters(command: str) -> dict[str, click.Parameter]:
    """What a template may be told for a command, by name: arguments and options of the command line."""
    offered = [one for one in cli.cli.commands[command].params if one.name not in NOT_OFFERED]
    return {one.opts[0].lstrip("-").replace("-", "_"): one for one in offered}


def command_line(arguments: Iterable[str]) -> list[str]:
    """`--name=value ...` as the words of a command line, options for Beam after `--`; raises ValueError for what is wrong."""
    split = [argument.partition("=") for argument in arguments]
    given = {name.removeprefix("--"): value for name, _, value in split if value}
    command = given.pop("command", COMMANDS[0])
    if command not in COMMANDS:
        raise ValueError(f'command must be one of {", ".join(COMMANDS)}, got "{command}"')
    known = parameters(command)
    if missing := [name for name, one in known.items() if one.required and name not in given]:
        raise ValueError(f"parameters that {command} needs are missing: {', '.join(missing)}")
    others = {name for other in COMMANDS for name in parameters(other)} - set(known)
    if strange := sorted(others & set(given)):
        raise ValueError(f"parameters that {command} does not know: {', '.join(strange)}")
    words = [word for name, one in known.items() if name in given for word in _words(name, one, given[name])]
    beam = ["".join(parts) for parts in split if parts[0].removeprefix("--") not in {*known, "command"}]
    return [command, *words, "--", *beam]


def _words(name: str, parameter: click.Parameter, value: str) -> list[str]:
    if isinstance(parameter, click.Argument):
        return [value]
    option = parameter.opts[0]
    if _is_flag(parameter):
        if value not in ("true", "false"):
            raise ValueError(f'{name} must be true or false, got "{value}"')
        return [option] if value == "true" else []
    return [f"{option}={one}" for one in (value.split(BETWEEN) if parameter.multiple else [value])]


def metadata() -> dict[str, Any]:
    """What the service asks for, and checks before it starts anything."""
    offered = [parameters(command) for command in COMMANDS]
    known = {name: one for of_command in offered for name, one in of_command.items()}
    needed = [name for name in known if all(name in one and one[name].required for one in offered)]
    described = [_described(name, one, name in needed) for name, one in known.items()]
    command = {
        "name": "command",
        "label": "Command",
        "helpText": f"What to start; {COMMANDS[0]} if nothing is said.",
        "isOptional": True,
        "regexes": [f"^({'|'.join(COMMANDS)})$"],
    }
    return {
        "name": "Lathe",
        "description": "Remasters a record label's catalogue: measures, decides album by album, renders and proves.",
        "streaming": not STREAMING.isdisjoint(COMMANDS),
        "parameters": [*described, command],
    }


def _described(name: str, parameter: click.Parameter, needed: bool) -> dict[str, Any]:
    words = ARGUMENTS.get(name) or (parameter.help if isinstance(parameter, click.Option) else "") or ""
    if parameter.multiple:
        words = words.replace("may be repeated", f"several stand with {BETWEEN} between them")
    shape = _shape(name, parameter)
    one = {"name": name, "label": name.replace("_", " ").capitalize(), "helpText": words}
    return {**one, "isOptional": not needed, **({"regexes": [f"^{shape}$"]} if shape else {})}


def _shape(name: str, parameter: click.Parameter) -> str:
    """A regular expression for a value, so that a mistake is told before a machine is started; nothing for free text."""
    if name == "source":
        return f"({PLACE}|pubsub://projects/[^/]+/subscriptions/[^/]+)"
    if name in ARGUMENTS:
        return PLACE
    if _is_flag(parameter):
        return "(true|false)"
    if isinstance(parameter.type, click.Choice):
        return f"({'|'.join(map(re.escape, parameter.type.choices))})"
    if isinstance(parameter.type, click.IntRange):
        return "[1-9][0-9]*"
    if isinstance(parameter.type, click.FloatRange):
        return r"-?[0-9]+(\.[0-9]+)?"
    return f"{PLACE}({BETWEEN}{PLACE})*" if parameter.multiple else ""


def _is_flag(parameter: click.Parameter) -> bool:
    return isinstance(parameter, click.Option) and bool(parameter.is_flag)


def main() -> None:
    """Runs the command in this process; its exit code is that of `lathe`."""
    if sys.argv[1:] == ["--metadata"]:
        click.echo(json.dumps(metadata(), indent=2, ensure_ascii=False))
        return
    try:
        words = command_line(sys.argv[1:])
    except ValueError as error:
        click.echo(error, err=True)
        sys.exit(cli.WRONG_USAGE)
    sys.argv = ["lathe", *words]
    review.cli.main()


if __name__ == "__main__":
    main()
