"""Holds the members of a group until all have come, or until a deadline in event time.

The clock of events stands still while any of them is under way: a deadline passes for what never came, not for what is slow.
What is defined: a member that is delivered twice counts once; a track that comes again in a later run of the same group replaces
the earlier one; after a group was closed, the next member that is new opens it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
from apache_beam.coders import BytesCoder, VarIntCoder
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import (
    BagStateSpec,
    ReadModifyWriteStateSpec,
    TimerSpec,
    on_timer,
)

from schemas.errands import Gathered, Ticket
from transforms.coders import RecordCoder
from transforms.metrics import count_closed, count_opened

FORGET_S = 86_400.0
"""How long a closed group knows a second delivery; far longer than any queue delivers again."""
_TICKETS = RecordCoder(Ticket)


class Gather(beam.PTransform):
    """(group, ticket) -> groups, each once all of it has come, or `patience_s` of event time after its first ticket.

    They are counted as `what`.
    """

    def __init__(self, patience_s: float, what: str) -> None:
        super().__init__()
        self._patience_s, self._what = patience_s, what

    def expand(self, tickets: beam.PCollection[tuple[str, Ticket]]) -> beam.PCollection[Gathered]:
        return tickets | "Hold" >> beam.ParDo(_Hold(self._patience_s, self._what)).with_output_types(Gathered)


class _Hold(beam.DoFn):
    """Keeps tickets by group; counts them as they come, and reads them only when the count says that all are there."""

    TICKETS = BagStateSpec("tickets", BytesCoder())
    COUNT = ReadModifyWriteStateSpec("count", VarIntCoder())
    WANTED = ReadModifyWriteStateSpec("wanted", VarIntCoder())
    CLOSED = BagStateSpec("closed", BytesCoder())
    """Names of the tickets of closed groups."""
    DEADLINE = TimerSpec("deadline", TimeDomain.WATERMARK)
    FORGET = TimerSpec("forget", TimeDomain.WATERMARK)

    def __init__(self, patience_s: float, what: str) -> None:
        self._patience_s, self._what = patience_s, what

    def process(
        self,
        keyed: tuple[str, Ticket],
        now: Any = beam.DoFn.TimestampParam,
        tickets: Any = beam.DoFn.StateParam(TICKETS),
        count: Any = beam.DoFn.StateParam(COUNT),
        wanted: Any = beam.DoFn.StateParam(WANTED),
        closed: Any = beam.DoFn.StateParam(CLOSED),
        deadline: Any = beam.DoFn.TimerParam(DEADLINE),
        forget: Any = beam.DoFn.TimerParam(FORGET),
    ) -> Iterator[Gathered]:
        """Keeps a ticket; yields its group if it was the last."""
        group, ticket = keyed
        if ticket.name.encode() in closed.read():
            return
        held, all_of_it = (count.read() or 0) + 1, max(wanted.read() or 0, ticket.of)
        tickets.add(_TICKETS.encode(ticket))
        if held == 1:
            count_opened(self._what)
            deadline.set(now + self._patience_s)
        if held >= all_of_it:
            gathered = gathered_of(group, tickets.read())
            held = len(gathered.tickets)
            if held >= all_of_it:
                count_closed(self._what, gathered, all_of_it)
                deadline.clear()
                _close(gathered, (tickets, count, wanted), closed)
                forget.set(now + FORGET_S)
                yield gathered
                return
        count.write(held)
        wanted.write(all_of_it)

    @on_timer(DEADLINE)
    def end_of_patience(
        self,
        group: str = beam.DoFn.KeyParam,
        now: Any = beam.DoFn.TimestampParam,
        tickets: Any = beam.DoFn.StateParam(TICKETS),
        count: Any = beam.DoFn.StateParam(COUNT),
        wanted: Any = beam.DoFn.StateParam(WANTED),
        closed: Any = beam.DoFn.StateParam(CLOSED),
        forget: Any = beam.DoFn.TimerParam(FORGET),
    ) -> Iterator[Gathered]:
        """Yields what has come of a group."""
        gathered = gathered_of(group, tickets.read())
        if gathered.tickets:
            count_closed(self._what, gathered, wanted.read() or 0)
            _close(gathered, (tickets, count, wanted), closed)
            forget.set(now + FORGET_S)
            yield gathered

    @on_timer(FORGET)
    def forgotten(self, closed: Any = beam.DoFn.StateParam(CLOSED)) -> None:
        """Lets go of the names of a group that was closed long ago."""
        closed.clear()


def gathered_of(group: str, encoded: Iterable[bytes]) -> Gathered:
    """One ticket for each track: of the same track in several runs that of the latest, whatever order they came in."""
    by_name = {ticket.name: ticket for ticket in map(_TICKETS.decode, encoded)}
    in_order = sorted(by_name.values(), key=lambda ticket: (ticket.track_id, ticket.run_id))
    latest = {ticket.track_id: ticket for ticket in in_order}
    return Gathered(
        group=group,
        tickets=tuple(latest.values()),
        repeated=tuple(ticket for ticket in in_order if latest[ticket.track_id] is not ticket),
    )


def _close(gathered: Gathered, states: Iterable[Any], closed: Any) -> None:
    for state in states:
        state.clear()
    for ticket in (*gathered.tickets, *gathered.repeated):
        closed.add(ticket.name.encode())
