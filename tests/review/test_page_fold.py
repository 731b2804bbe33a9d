"""What the page counts by itself is what `review/state.py` counts; with a server it shows what the server counts."""

from __future__ import annotations

import json
from importlib.resources import files

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from review.desk import Desk
from review.signoff import exported, take_in
from review.state import overrides, states
from schemas.signoff import Revision, masters_key
from tests.review.outputs import asked
from tests.review.test_report_page import from_disk, go, named, opened, review
from tests.review.test_report_page import states as shown
from tests.review.test_state import OLD, STANDING, histories

SCRIPT = (files("review") / "page" / "signoff.js").read_text(encoding="utf-8")
FOLD = """([script, decisions, tracks, key]) => {
    const stored = () => null;
    const [inForce, stateFrom, SignOff] = new Function(`${script}; return [inForce, stateFrom, KeptHere];`)();
    const kept = Object.create(SignOff.prototype, { decisions: { value: decisions } });
    const states = tracks.map((id) => stateFrom(inForce(decisions).filter((one) => one.track_id === id), key));
    return [states, ["album", ...tracks].map((id) => kept.revisionOf(id === "album" ? "album" : "track", id))];
}"""
"""Runs the page's script by itself, as its own policy lets nobody do."""


def desk_at(mastered, **options):
    return Desk(str(mastered.output), **options)


@pytest.fixture(scope="module")
def bare(chromium):
    """A page without a report."""
    context = chromium.new_context()
    yield context.new_page()
    context.close()


@st.composite
def mixed(draw):
    """Decisions whose times and numbers tell different orders, as after an import."""
    told = draw(histories())
    seconds = draw(st.lists(st.integers(0, 9), min_size=len(told), max_size=len(told)))
    moments = [f"2026-11-27T08:00:0{second}.000+00:00" for second in seconds]
    return [replace(one, at=at) for one, at in zip(told, moments, strict=True)]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(told=mixed())
def test_the_page_and_the_server_count_alike(bare, told):
    found = bare.evaluate(FOLD, [SCRIPT, msgspec.to_builtins(told), list(STANDING), masters_key(OLD)])
    asked_for = {(one.scope, one.subject_id): one.revision for one in overrides(told).overrides}
    subjects = [("album", "album"), *(("track", track_id) for track_id in STANDING)]
    assert [one.state for one in states(STANDING, told).values()] == found[0]
    assert [asked_for.get(subject, Revision()) for subject in subjects] == [
        msgspec.convert(one or {}, Revision) for one in found[1]
    ]


def test_portions_hold_everything_in_its_order_and_each_fits_a_request(bare):
    records = [{"track_id": f"T{k}", "note": "ü" * (k % 5_000)} for k in range(3_000)]
    found = bare.evaluate(
        "([script, records]) => new Function(`${script}; return portions;`)()(records)", [SCRIPT, records]
    )
    assert records == [one for some in found for one in some]
    assert max(len(json.dumps(some, ensure_ascii=False).encode()) for some in found) < 1 << 20


def test_the_served_page_shows_what_the_server_counts(page, mastered, tmp_path):
    desk = desk_at(mastered, two_person=True)
    key = desk.catalogue.standing()["T1"].key
    for name in ("Stra\u00dfer", "STRASSER"):
        desk.decide([asked(desk, "T0")], name)
    desk.decide([asked(desk, "T1", "reject")], "Bob")
    late = {"at": "2026-01-01T00:00:00Z", "track_id": "T1", "masters_key": key, "word": "approve", "reviewer": "Cy"}
    (tmp_path / "late.json").write_text(json.dumps({"lathe_signoff": 1, "decisions": [late]}))
    take_in(desk, tmp_path / "late.json")
    with review(mastered, two_person=True) as running:
        opened(page, f"{running.url}/")
        told = shown(page)
    assert ("approved_once", "rejected") == (told["T0"], told["T1"])
    assert told == {**{track_id: one.state for track_id, one in desk.states().items()}, "T9": "open"}


def test_an_undo_after_an_import_takes_back_the_file_and_nothing_else(page, mastered, tmp_path):
    desk = desk_at(mastered)
    desk.decide([asked(desk, "T3", "reject"), asked(desk, "T4")], "Bob")
    desk.undo([2], "Bob", operator=False)
    (tmp_path / "all.json").write_bytes(exported(desk))
    from_disk(page, mastered)
    named(page)
    go(page, "view=tracks&album=reeds")
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("button", has_text="Approve 2").click()
    page.wait_for_selector(".toast:has-text('2 tracks approved')")
    go(page, "view=signoff")
    page.set_input_files("input[type=file]", tmp_path / "all.json")
    page.wait_for_selector(".toast:has-text('1 decision came')")
    told = shown(page)
    assert ("approved", "approved", "rejected", "open") == tuple(told[f"T{k}"] for k in (0, 1, 3, 4))
    page.keyboard.press("u")
    page.wait_for_selector(".toast:has-text('1 decision taken back')")
    told = shown(page)
    assert ("approved", "approved", "open") == tuple(told[f"T{k}"] for k in (0, 1, 3))


def test_a_wish_that_the_form_does_not_offer_stays_when_something_else_is_decided(page, mastered):
    desk, wish = desk_at(mastered), Revision(tone_amount_ratio=0.3)
    desk.decide([asked(desk, "T3", "reject", revision=wish)], "Ann")
    with review(mastered) as running:
        opened(page, f"{running.url}/", "view=track&track=T3")
        page.locator("button", has_text="Approve").first.click()
        page.wait_for_selector(".toast:has-text('approved')")
    assert [wish] == [one.revision for one in overrides(desk.decisions.all()).overrides]


@pytest.mark.parametrize("is_served", [True, False])
def test_a_key_decides_with_what_stands_in_the_form_and_without_it_elsewhere(page, mastered, tmp_path, is_served):
    desk = desk_at(mastered)
    with review(mastered) as running:
        opened(page, f"{running.url}/" if is_served else mastered.page.as_uri())
        if not is_served:
            named(page)
        go(page, "view=track&track=T3")
        page.locator("#asking summary").first.click()
        page.select_option("label:has-text('Limiting') select", "-1")
        page.fill("label:has-text('Reason') input", "too dense")
        page.locator("main h2").first.click()
        page.keyboard.press("r")
        page.wait_for_selector(".toast:has-text('rejected')")
        page.keyboard.press("Escape")
        page.wait_for_selector("tbody tr[data-place]")
        page.keyboard.press("a")
        page.wait_for_selector(".toast:has-text('approved')")
        if not is_served:
            told = page.evaluate("JSON.parse(Object.values(localStorage).find((one) => one.startsWith('[')))")
            (tmp_path / "kept.json").write_text(json.dumps({"lathe_signoff": 1, "decisions": told}))
            take_in(desk, tmp_path / "kept.json")
    assert [("reject", "too dense", Revision(limiting_steps=-1)), ("approve", "", None)] == [
        (one.word, one.reason, one.revision) for one in desk.decisions.all()
    ]
