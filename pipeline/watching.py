"""What `lathe watch` does and says: one unbounded pipeline where a runner can carry it, else one batch for each manifest."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import msgspec

from pipeline.live import Live
from pipeline.metrics_file import MetricsFile
from pipeline.prism import Prism, found_prism, value_of
from pipeline.run import Request, Summary, is_template
from pipeline.run_records import REFUSED, Record
from pipeline.runner import LOCAL_RUNNERS
from pipeline.subscription import SCHEME
from pipeline.supervise import interruptible
from pipeline.watch import Trouble, Watch
from pipeline.words import ProgressLine, say
from pipeline.workplace import checked_output
from schemas.errors import CatalogueError

Tell = Callable[[Summary], None]


def watch(source: str, request: Request, patience_s: float, tell: Tell) -> int:
    """Masters what arrives, by the best means at hand, until it is stopped."""
    metrics = MetricsFile(checked_output(request.output), request.metrics)
    program, runner = found_prism(request.beam_options), value_of("--runner", request.beam_options)
    if program is not None and not source.startswith(SCHEME):
        with Prism(program, logs_json=request.speech.as_json) as options:
            return watch_live(Live(source, request, patience_s), [*options, *_other_options(request)], tell, metrics)
    if (runner or "").rpartition(".")[2] not in LOCAL_RUNNERS:
        return watch_live(Live(source, request, patience_s), request.beam_options, tell, metrics)
    if source.startswith(SCHEME):
        raise CatalogueError("RUNNER_MISSING", f"{source} needs a runner that listens: -- --runner=DataflowRunner")
    return watch_batches(source, request, tell, metrics)


def _other_options(request: Request) -> list[str]:
    """What stands after `--`, without what has led to Prism."""
    ours, rest = ("--runner", "--prism_location"), []
    words = iter(request.beam_options)
    for word in words:
        if word in ours:
            next(words, None)
        elif not word.startswith(tuple(f"{one}=" for one in ours)):
            rest.append(word)
    return rest


def watch_batches(folder: str, request: Request, tell: Tell, metrics: MetricsFile) -> int:
    """Masters each manifest as a batch of its own, until Ctrl-C."""

    def waited(seconds: float) -> bool:
        time.sleep(seconds)
        return False

    watching = Watch(folder, request, ProgressLine(), metrics)
    say(f"watching {folder}: each manifest is mastered as a batch of its own, for no runner for streams is at hand")
    say("Ctrl-C ends it, and loses nothing")
    with interruptible():
        for outcome in watching.run(waited):
            _say_outcome(outcome, tell)
    return 0


def watch_live(live: Live, options: Sequence[str], tell: Tell, metrics: MetricsFile) -> int:
    """Masters what arrives in one unbounded pipeline; the first Ctrl-C lets it finish what is under way, the second ends it."""
    live.start(options)
    if is_template(options):
        say("the graph is written; the service that runs it tells how it goes")
        return 0
    say("watching: Ctrl-C finishes what is under way and ends; a second one ends at once, and loses nothing")
    with interruptible():
        try:
            _tell_outcomes(live, tell, metrics)
        except KeyboardInterrupt:
            if live.listens:
                say("the pipeline goes on in its service: drain it there, and what is under way is finished")
                return 0
            say("stopping: what is under way is finished")
            live.stop()
            try:
                _tell_outcomes(live, tell, metrics)
            except KeyboardInterrupt:
                live.cancel()
                raise
        finally:
            live.close()
    return 0


def _tell_outcomes(live: Live, tell: Tell, metrics: MetricsFile) -> None:
    for record in live.outcomes(lambda: metrics.watched(live.known)):
        metrics.closed(record["run_id"], record["state"], record.get("wall_s", 0.0), live.known)
        _say_outcome(_outcome(record), tell)


def _outcome(record: Record) -> Summary | Trouble:
    if record["state"] == REFUSED:
        return Trouble(uri=record["manifest"], code=record["code"], problems=tuple(record["problems"]))
    known = {name: record[name] for name in Summary.__struct_fields__ if name in record}
    return msgspec.convert(known, Summary)


def _say_outcome(outcome: Summary | Trouble, tell: Tell) -> None:
    if isinstance(outcome, Summary):
        tell(outcome)
    else:
        say("\n".join([f"{outcome.uri} is left until it changes ({outcome.code})", *outcome.problems]))
