"""What commands may be told: options that several of them share, and what was asked for as the records of a run."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, get_args

import click

if TYPE_CHECKING:
    from decisions.choices import Choices
    from schemas.steps import MixWish, Speech

INTENSITIES = ("low", "medium", "high")


def taste_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What `run` and `master` may be told beyond the profile."""
    for option in reversed(
        [
            click.option("--style", help="A built-in style (`lathe styles`) or a .toml file; else the profile's own."),
            click.option("--intensity", type=click.Choice(INTENSITIES), help="How far the style goes."),
            click.option(
                "--reference", "references", multiple=True, metavar="FILE",
                help="A recording whose tone and width to lean to; may be repeated.",
            ),
            click.option(
                "--reference-amount", "reference_amount_ratio", type=click.FloatRange(0.0, 1.0), metavar="0..1",
                help="Share of what the references ask for.",
            ),
            click.option("--target-lufs", type=click.FloatRange(-40.0, -4.0), help="Another loudness target."),
        ]
    ):  # fmt: skip
        command = option(command)
    return command


def mix_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What songs that come as stems may be told."""
    for option in reversed(
        [
            click.option(
                "--settings", multiple=True, metavar="FILE",
                help="Settings of a mix that a person edited, for the song that they name; may be repeated.",
            ),
            click.option("--stems", is_flag=True, help="Also the processed stems of mixes; they add up to the mix."),
            click.option(
                "--versions", default="", metavar="NAMES",
                help="Also versions of mixes, by commas: instrumental, acappella, tv.",
            ),
        ]
    ):  # fmt: skip
        command = option(command)
    return command


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What `run` and `watch` may be told."""
    options: list[Callable[[Callable[..., Any]], Callable[..., Any]]] = [
        click.argument("output"),
        click.option("--profile", default="streaming", show_default=True, help="A built-in profile or a .toml file."),
        taste_options,
        click.option("--limit", type=click.IntRange(min=1), help="Master only the first N tracks of the manifest."),
        click.option("--only", metavar="GLOB", help="Master only tracks whose id, album, title or file matches."),
        click.option("--root", "roots", multiple=True, help="Another folder that sources may lie in; may be repeated."),
        click.option("--force", is_flag=True, help="Render also what has not changed."),
        mix_options,
        click.option("--json", "as_json", is_flag=True, help="The summary as one JSON object on stdout."),
        click.option(
            "--metrics",
            type=click.Path(),
            metavar="FILE",
            help="Where the metrics for Prometheus stand (.prom); else OUTPUT/runs/metrics.prom.",
        ),
        click.option(
            "--log-format",
            type=click.Choice(("text", "json")),
            default="text",
            envvar="LATHE_LOG",
            show_envvar=True,
            help="What is said on stderr, as words or as one JSON object a line.",
        ),
        click.option(
            "--log-level",
            type=click.Choice(("debug", "warning")),
            envvar="LATHE_LOG_LEVEL",
            show_envvar=True,
            help="Lines about single tracks: each step, or only rejections; none as text, warning as json, by default.",
        ),
        click.argument("beam_options", nargs=-1, type=click.UNPROCESSED, metavar="[-- BEAM OPTIONS]"),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def request_of(asked: dict[str, Any]) -> dict[str, Any]:
    """What was asked of a run, as the fields of its request."""
    if asked["beam_options"] and not asked["beam_options"][0].startswith("-"):
        stray = asked["beam_options"][0]
        raise click.UsageError(f'"{stray}" is one word too many; options for Beam stand after --')
    return {"choices": choices_of(asked), "speech": _speech(asked), "mixing": _mixing(asked), **asked}


def _mixing(asked: dict[str, Any]) -> MixWish:
    """Takes what is asked of songs out of what was asked for."""
    from schemas.steps import MixWish, Version

    versions = tuple(dict.fromkeys(name.strip() for name in asked.pop("versions").split(",") if name.strip()))
    allowed = get_args(Version)
    for name in versions:
        if name not in allowed:
            raise click.UsageError(f'--versions: "{name}" is none; {", ".join(allowed)} are, with commas between')
    files = asked.pop("settings")
    if not all(files):
        raise click.UsageError("--settings needs the name of a file")
    settings = tuple(one if "://" in one else os.path.abspath(one) for one in files)
    return MixWish(settings=settings, stems=asked.pop("stems"), versions=versions)


def _speech(asked: dict[str, Any]) -> Speech:
    """Takes how to speak out of what was asked for, and does so from now on."""
    from schemas.steps import Speech
    from transforms.log_lines import speak

    if asked["metrics"] is not None and not asked["metrics"].endswith(".prom"):
        raise click.UsageError("--metrics needs a name that ends in .prom: node_exporter reads no others")
    speech = Speech(as_json=asked.pop("log_format") == "json", level=asked.pop("log_level") or "")
    speak(speech)
    return speech


def choices_of(asked: dict[str, Any]) -> Choices:
    """Takes what was chosen beyond the profile out of what was asked for."""
    from decisions.choices import Choices

    if not all(asked["references"]):
        raise click.UsageError("--reference needs the name of a file")
    asked["references"] = tuple(one if "://" in one else os.path.abspath(one) for one in asked["references"])
    return Choices(**{name: asked.pop(name) for name in Choices.__struct_fields__})
