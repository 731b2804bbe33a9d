"""An album is held until all of it has come, or its time is over: early, twice, late, never, and when the clock jumps."""

from __future__ import annotations

from itertools import permutations

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.testing import test_pipeline, test_stream
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms.window import TimestampedValue
from hypothesis import given
from hypothesis import strategies as st

from schemas.errands import Gathered, Ticket
from transforms.barrier import Gather, gathered_of
from transforms.coders import RecordCoder, register_coders

PATIENCE_S, END_S = 100.0, 100_000_000
STREAMS = "apache_beam.runners.direct.direct_runner.BundleBasedDirectRunner"  # the one engine in Python that plays a TestStream
ENCODED = RecordCoder(Ticket)


def ticket(track, *, run="r1", of=3):
    return Ticket(name=f"{run}/{track}", run_id=run, track_id=track, of=of)


def stream():
    register_coders()
    return test_stream.TestStream(
        coder=beam.coders.TupleCoder((beam.coders.StrUtf8Coder(), RecordCoder(Ticket))), output_tags=None
    )


def plain(gathered: Gathered):
    return (
        gathered.group,
        [f"{one.run_id}/{one.track_id}" for one in gathered.tickets],
        [f"{one.run_id}/{one.track_id}" for one in gathered.repeated],
    )


def check(played: test_stream.TestStream, *expected):
    """Plays a stream into the barrier; what comes out, in any order, is what is expected."""
    options = PipelineOptions(["--allow_unsafe_triggers"])
    options.view_as(StandardOptions).streaming = True
    # Two steps to the end: at infinity this engine closes what looks at the result before the timers that still add to it.
    played = played.advance_watermark_to(END_S).advance_watermark_to_infinity()
    with test_pipeline.TestPipeline(runner=STREAMS, options=options) as pipeline:
        found = pipeline | played.with_output_types(tuple[str, Ticket]) | Gather(PATIENCE_S, "draft") | beam.Map(plain)
        assert_that(found, equal_to(list(expected)))


def at(seconds, *tickets, group="A"):
    return [TimestampedValue((group, one), seconds) for one in tickets]


WHOLE = ("A", ["r1/1", "r1/2", "r1/3"], [])


@pytest.mark.parametrize("order", list(permutations("123"))[::2], ids="".join)
def test_an_album_comes_whole_in_whatever_order_its_tracks_are_measured(order):
    played = stream().advance_watermark_to(0)
    for seconds, track in enumerate(order):
        played = played.add_elements(at(seconds, ticket(track)))
    check(played, WHOLE)


def test_a_track_that_is_delivered_twice_counts_once():
    twice = at(1, ticket("1"), ticket("1"), ticket("2"))
    check(stream().add_elements(twice).add_elements(at(2, ticket("3"))), WHOLE)


def test_a_delivery_again_after_the_album_was_closed_is_forgotten():
    played = stream().add_elements(at(1, ticket("1"), ticket("2"), ticket("3"))).advance_watermark_to(2)
    check(played.add_elements(at(3, ticket("2"))), WHOLE)


def test_an_album_whose_track_never_comes_is_let_go_when_its_time_is_over():
    played = stream().add_elements(at(1, ticket("1"), ticket("2")))
    played = played.advance_watermark_to(1 + PATIENCE_S - 1).add_elements(at(50, ticket("1", of=1), group="B"))
    alone = ("B", ["r1/1"], [])
    check(
        played.advance_watermark_to(1 + PATIENCE_S + 1),
        alone,
        ("A", ["r1/1", "r1/2"], []),
    )


def test_a_late_track_opens_its_album_again_and_waits_as_long():
    played = stream().add_elements(at(1, ticket("1"), ticket("2"))).advance_watermark_to(200)
    played = played.add_elements(at(201, ticket("3")))
    check(played, ("A", ["r1/1", "r1/2"], []), ("A", ["r1/3"], []))


def test_the_rest_of_an_album_that_was_let_go_completes_it_when_its_manifest_comes_again():
    played = stream().add_elements(at(1, ticket("1"), ticket("2"))).advance_watermark_to(200)
    again = [ticket("1", run="r2"), ticket("2", run="r2")]
    played = played.add_elements(at(201, ticket("3"))).add_elements(at(202, *again))
    check(played, ("A", ["r1/1", "r1/2"], []), ("A", ["r2/1", "r2/2", "r1/3"], []))


def test_of_a_track_that_comes_in_two_runs_the_later_counts_and_the_other_is_told():
    played = stream().add_elements(at(1, ticket("1"), ticket("1", run="r2"), ticket("2", run="r2")))
    played = played.add_elements(at(2, ticket("3", run="r2")))
    check(played, ("A", ["r2/1", "r2/2", "r2/3"], ["r1/1"]))


def test_where_totals_disagree_the_larger_is_waited_for():
    played = stream().add_elements(at(1, ticket("1", of=2), ticket("2", of=3))).advance_watermark_to(50)
    check(played.add_elements(at(51, ticket("3", of=2))), WHOLE)


def test_a_clock_that_jumps_ahead_lets_go_what_has_come_and_loses_none():
    played = stream().add_elements(at(1, ticket("1"))).advance_watermark_to(10_000_000)
    played = played.add_elements(at(10_000_001, ticket("2"), ticket("3")))
    check(played, ("A", ["r1/1"], []), ("A", ["r1/2", "r1/3"], []))


def test_an_element_older_than_the_clock_still_counts():
    played = stream().add_elements(at(50, ticket("1"), ticket("2"))).advance_watermark_to(60)
    check(played.add_elements(at(3, ticket("3"))), WHOLE)


def test_albums_do_not_wait_for_each_other():
    played = stream().add_elements(at(1, ticket("1"))).add_elements(at(1, ticket("1", of=1), group="B"))
    check(played, ("B", ["r1/1"], []), ("A", ["r1/1"], []))


@given(st.lists(st.tuples(st.sampled_from("1234"), st.sampled_from(["r1", "r2", "r3"])), min_size=1), st.randoms())
def test_a_group_is_the_same_whatever_the_order_and_the_repetition(chosen, random):
    encoded = [ENCODED.encode(ticket(track, run=run)) for track, run in chosen]
    shuffled = [*encoded, *random.sample(encoded, random.randint(0, len(encoded)))]
    random.shuffle(shuffled)
    gathered = gathered_of("A", encoded)
    assert gathered == gathered_of("A", shuffled)
    assert {one.name for one in (*gathered.tickets, *gathered.repeated)} == {f"{run}/{track}" for track, run in chosen}
    assert {one.track_id: one.run_id for one in gathered.tickets} == dict(sorted(chosen, key=lambda one: one[1]))


def test_a_ticket_takes_less_than_a_kibibyte_of_state():
    long = Ticket(name="f" * 32, run_id="20261127T021754Z-b06548e6", track_id="x" * 200, of=99999)
    assert len(ENCODED.encode(long)) + len(long.name) < 1024
