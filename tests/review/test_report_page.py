"""The report as a reviewer has it, in a real browser: from disk and served, seen, sorted, heard and decided about."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager

import pytest

from pipeline.tables import table_rows
from review.desk import Desk
from review.signoff import take_in
from tests.pipeline.runs import by, table
from tests.review.outputs import look_again
from tests.review.servers import served

VIEWS = [
    "",
    "view=tracks",
    "view=albums",
    "view=albums&album=stones",
    "view=distributions",
    "view=changes",
    "view=signoff",
    "view=track&track=T3",
    "view=track&track=T9",
]
EVERY_VIEW = pytest.mark.parametrize("view", VIEWS)


def opened(page, address, view=""):
    """The page at a view, once it stands."""
    page.goto(f"{address}#{view}")
    page.wait_for_selector("html[data-ready]", state="attached")
    page.wait_for_selector("main h2")
    return page


def from_disk(page, mastered, view=""):
    return opened(page, mastered.page.as_uri(), view)


def go(page, view):
    """Another view by its address, as a link in a mail."""
    page.evaluate(
        "(hash) => { document.querySelector('main').replaceChildren(); location.hash = hash;"
        " window.dispatchEvent(new HashChangeEvent('hashchange')); }",
        view,
    )
    page.wait_for_selector("main h2")


def titles(page):
    """The first column of the table."""
    return [cell.inner_text() for cell in page.locator("tbody tr[data-place] th").all()]


def named(page, name="Ann"):
    """Says who decides, as one does once."""
    go(page, "view=signoff")
    page.fill("#reviewer", name)
    page.locator("#reviewer").blur()


def states(page):
    """Sign-off of each track, by the page."""
    go(page, "view=tracks&cols=track_id,signoff&sort=track_id")
    rows = page.locator("tbody tr[data-place]").all()
    return {row.locator("th").inner_text(): row.locator(".tag").get_attribute("class").split()[-1] for row in rows}


@contextmanager
def review(mastered, **asked):
    desk = Desk(str(mastered.output), two_person=asked.pop("two_person", False))
    with served(desk, reviewer="Ann", **asked) as running:
        yield running


# Seen


@EVERY_VIEW
def test_every_view_opens_from_disk_without_a_complaint(page, mastered, view):
    from_disk(page, mastered, view)
    assert "cannot be shown" not in page.locator("main").inner_text()
    assert "[object" not in page.locator("main").inner_text()


@EVERY_VIEW
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_rule_of_accessibility_is_broken(page, mastered, violations, view, theme):
    page.emulate_media(color_scheme=theme)
    from_disk(page, mastered, view)
    for summary in page.locator("main summary").all():
        summary.click()
    assert [] == violations(page)


def test_the_verdict_stands_first_and_the_worst_is_named_first(page, mastered):
    from_disk(page, mastered)
    told = page.locator("main").inner_text()
    assert "5 want a listen, 1 is rejected." == page.locator("main h2").first.inner_text()
    assert told.index("Silent track") < told.index("Start cut off")


def test_figures_on_the_page_are_those_of_the_files(page, mastered):
    rows = by("track_id", table(mastered.output, "tracks"))
    from_disk(page, mastered, "view=tracks&cols=track_id,lufs,peak&sort=track_id")
    for row in page.locator("tbody tr[data-place]").all():
        name, lufs, peak = (cell.inner_text().replace("−", "-") for cell in row.locator("th, td").all())
        if name in rows:
            master = rows[name]["masters"][0]
            assert f"{master['integrated_lufs']:.1f}" == lufs
            assert f"{max(one['true_peak_dbtp'] for one in rows[name]['masters']):.1f}" == peak


def test_a_track_shows_every_decision_every_check_and_every_hash(page, mastered):
    row = by("track_id", table(mastered.output, "tracks"))["T3"]
    from_disk(page, mastered, "view=track&track=T3")
    told = " ".join(page.locator("main").inner_text().split())
    whole = page.locator("main").text_content()
    for decision in json.loads(row["plan"])["decisions"]:
        assert f"{decision['how_much']} {decision['why']}." in told
    assert f"{len(row['checks'])} checks" in told
    assert all(check["measure"].replace("_", " ") in whole for check in row["checks"])
    assert all(digest in told for digest in [row["source_sha256"], *(one["sha256"] for one in row["masters"])])


def test_drawings_have_words_for_who_cannot_see_them(page, mastered):
    from_disk(page, mastered, "view=track&track=T3")
    labels = [one.get_attribute("aria-label") for one in page.locator("svg.chart").all()]
    assert len(labels) == 2
    assert all(len(label) > 40 for label in labels)


def test_paper_shows_the_findings_and_none_of_the_buttons(page, mastered):
    from_disk(page, mastered, "view=track&track=T3")
    page.emulate_media(media="print")
    assert page.locator("text=Decided, and why").is_visible()
    assert not page.locator("text=Approve").first.is_visible()


# Sorted, searched, filtered


def test_columns_sort_both_ways_and_who_has_no_value_comes_last(page, mastered):
    from_disk(page, mastered, "view=tracks")
    for expected in (False, True):
        page.locator("thead button", has_text="Loudness, LUFS").click()
        page.wait_for_selector(f"th[aria-sort={'descending' if expected else 'ascending'}]")
        column = [cell.inner_text() for cell in page.locator("tbody tr[data-place] td:nth-child(6)").all()]
        assert "–" == column[-1]
        values = [float(text.replace("−", "-")) for text in column[:-1]]
        assert sorted(values, reverse=expected) == values


def test_titles_sort_as_people_read_them(page, mastered):
    from_disk(page, mastered, "view=tracks&sort=title")
    assert ["Ålesund 2", "Alesund 10"] == titles(page)[:2]


@pytest.mark.parametrize(
    ("words", "found"), [("alesund", 2), ("granite", 1), ("makers stones", 3), ("T9", 1), ("nowhere", 0)]
)
def test_search_finds_by_any_name_without_accents(page, mastered, words, found):
    from_disk(page, mastered, "view=tracks")
    page.keyboard.press("/")
    page.keyboard.type(words)
    page.wait_for_selector(f"main h2:has-text('{found} of')")
    assert found == len(titles(page))
    assert "search" == page.evaluate("document.activeElement.id")


def test_filters_stand_in_the_address_and_can_be_taken_away(page, mastered):
    from_disk(page, mastered, "view=tracks")
    page.select_option("select[aria-label=Album]", "stones")
    page.wait_for_selector("main h2:has-text('3 of')")
    address = page.url
    from_disk(page, mastered)
    opened(page, address.partition("#")[0], address.partition("#")[2])
    assert 3 == len(titles(page))
    page.locator(".chips button").first.click()
    page.wait_for_selector("main h2:has-text('All 6')")


def test_a_bar_of_a_distribution_filters_the_table(page, mastered):
    from_disk(page, mastered, "view=distributions")
    bar = page.locator("rect.bin").first
    many = int(bar.get_attribute("aria-label").split()[0])
    bar.click()
    page.locator("button.main").click()
    page.wait_for_selector("table.catalogue")
    assert many == len(titles(page))


def test_the_back_button_goes_back(page, mastered):
    from_disk(page, mastered, "view=tracks")
    page.locator("nav a", has_text="Albums").click()
    page.wait_for_selector("main h2:has-text('2 albums')")
    page.go_back()
    page.wait_for_selector("table.catalogue")
    assert "view=tracks" in page.url


def test_columns_can_be_chosen(page, mastered):
    from_disk(page, mastered, "view=tracks")
    page.locator("#columns summary").click()
    page.locator("#columns label", has_text="ISRC").click()
    page.wait_for_selector("thead button:has-text('ISRC')")
    assert "isrc" in page.url


# Heard


@pytest.mark.parametrize("way", ["from disk", "served"])
def test_before_and_after_play_and_switch(sounding_page, mastered, way):
    def hear(address):
        opened(sounding_page, address, "view=track&track=T3")
        sounding_page.wait_for_selector(".listen-state:has-text('Ready')")
        sounding_page.locator("main h2").first.click()
        sounding_page.keyboard.press(" ")
        sounding_page.wait_for_selector("button:has-text('Pause')")
        sounding_page.wait_for_selector(".listen-time:has-text('0:01')")
        before = pressed(sounding_page)
        sounding_page.keyboard.press("x")
        sounding_page.wait_for_timeout(200)
        assert {"Before", "After"} == {before, pressed(sounding_page)}

    if way == "from disk":
        hear(mastered.page.as_uri())
    else:
        with review(mastered) as running:
            hear(f"{running.url}/")


def pressed(page):
    return page.locator("[aria-label=Heard] button[aria-pressed=true]").inner_text()


def test_the_waveform_can_be_clicked_into(page, mastered):
    from_disk(page, mastered, "view=track&track=T3")
    page.wait_for_selector(".listen-state:has-text('Ready')")
    width = page.locator("svg.seek").bounding_box()["width"]
    page.locator("svg.seek").click(position={"x": 0.7 * width, "y": 40})
    page.wait_for_selector(".listen-time:has-text('0:04')")


# Decided, without a server


def test_decisions_are_made_with_keys_alone_undone_and_kept(page, mastered):
    from_disk(page, mastered)
    named(page)
    go(page, "view=tracks&sort=track_id")
    for key in ("a", "ArrowDown", "r", "ArrowDown", "n", "ArrowDown", "a", "u"):
        page.keyboard.press(key)
        page.wait_for_timeout(150)
    expected = {"T0": "approved", "T1": "rejected", "T2": "needs_work", "T3": "open", "T4": "open", "T9": "open"}
    assert expected == states(page)
    from_disk(page, mastered)
    assert expected == states(page)


def test_a_filter_can_be_decided_about_at_once(page, mastered):
    from_disk(page, mastered)
    named(page)
    go(page, "view=tracks&album=stones")
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("button", has_text="Approve 3").click()
    page.wait_for_selector(".toast:has-text('3 tracks approved')")
    assert {"T2", "T3", "T4"} == {name for name, state in states(page).items() if state == "approved"}


def test_nobody_decides_without_a_name(page, mastered):
    from_disk(page, mastered, "view=tracks&sort=track_id")
    page.keyboard.press("a")
    page.wait_for_selector("#reviewer")
    assert "open" == states(page)["T0"]


def test_what_was_decided_without_a_server_counts_once_it_is_imported(page, mastered, tmp_path):
    from_disk(page, mastered)
    named(page)
    go(page, "view=track&track=T3")
    page.locator("#asking summary").first.click()
    page.select_option("label:has-text('Limiting') select", "-1")
    page.keyboard.press("Escape")
    go(page, "view=track&track=T3")
    page.locator("#asking summary").first.click()
    page.select_option("label:has-text('Limiting') select", "-1")
    page.locator("button", has_text="Reject").first.click()
    page.wait_for_selector(".toast:has-text('rejected')")
    go(page, "view=signoff")
    with page.expect_download() as told:
        page.locator("button", has_text="Export the decisions").click()
    told.value.save_as(tmp_path / "signoff.json")
    desk = Desk(str(mastered.output))
    taken = take_in(desk, tmp_path / "signoff.json", None)
    assert (1, "rejected") == (taken.added, desk.states()["T3"].state)
    asked = json.loads((mastered.output / "review" / "overrides.json").read_text())["overrides"]
    assert [("T3", {"limiting_steps": -1}, "Ann")] == [
        (one["subject_id"], one["revision"], one["reviewer"]) for one in asked
    ]


def test_an_exported_file_can_be_taken_in_by_another_browser(page, mastered, tmp_path):
    from_disk(page, mastered)
    named(page)
    go(page, "view=tracks&sort=track_id")
    page.keyboard.press("a")
    page.wait_for_selector(".toast")
    go(page, "view=signoff")
    with page.expect_download() as told:
        page.locator("button", has_text="Export the decisions").click()
    told.value.save_as(tmp_path / "signoff.json")
    page.evaluate("localStorage.clear()")
    page.reload()
    page.wait_for_selector("html[data-ready]", state="attached")
    assert "open" == states(page)["T0"]
    for expected in ("1 decision came", "0 decisions came"):
        go(page, "view=signoff")
        page.set_input_files("input[type=file]", tmp_path / "signoff.json")
        page.wait_for_selector(f".toast:has-text('{expected}')")
    assert "approved" == states(page)["T0"]


# Decided, with the server


def test_decisions_reach_the_server_and_can_be_undone(page, mastered):
    with review(mastered) as running:
        opened(page, f"{running.url}/", "view=tracks&sort=track_id")
        page.keyboard.press("a")
        page.wait_for_selector(".toast:has-text('approved')")
        assert "approved" == running.desk.states()["T0"].state
        page.keyboard.press("u")
        page.wait_for_selector(".toast:has-text('taken back')")
        assert "open" == running.desk.states()["T0"].state


def test_two_people_must_approve_where_that_is_the_rule(page, mastered):
    with review(mastered, two_person=True) as running:
        opened(page, f"{running.url}/", "view=tracks&sort=track_id")
        page.keyboard.press("a")
        page.wait_for_selector(".toast:has-text('approved')")
        assert ("approved_once", "approved_once") == (running.desk.states()["T0"].state, states(page)["T0"])


@EVERY_VIEW
def test_every_view_opens_served_without_a_complaint(page, mastered, view):
    with review(mastered) as running:
        opened(page, f"{running.url}/", view)
        assert "cannot be shown" not in page.locator("main").inner_text()


def test_a_page_that_was_left_open_over_a_run_says_so_and_loads_it(page, mastered):
    with review(mastered) as running:
        opened(page, f"{running.url}/", "view=tracks")
        assert not page.locator("#told button").count()
        record = next((mastered.output / "runs").glob("*.json"))
        later = {**json.loads(record.read_text()), "run_id": "29991231T000000Z", "ended": "2999-12-31T00:00:00+00:00"}
        (mastered.output / "runs" / "29991231T000000Z.json").write_text(json.dumps(later))
        look_again(running.desk.catalogue)
        page.evaluate("window.dispatchEvent(new Event('focus'))")
        page.wait_for_selector("#told:has-text('29991231T000000Z has ended since')")
        page.locator("#told button").click()
        page.wait_for_selector("#told:has-text('Run 29991231T000000Z,')")


@pytest.mark.slow
def test_a_reviewer_sends_a_track_back_and_the_next_run_obeys(page, mastered):
    def worst_db():
        newest = table_rows(
            str(mastered.output), "tracks", max(path.stem for path in (mastered.output / "runs").glob("*.json"))
        )
        return by("track_id", newest)["T3"]["limiter_max_reduction_db"]

    before_db = worst_db()
    assert before_db > 1.5
    with review(mastered) as running:
        opened(page, f"{running.url}/", "view=tracks&sort=-limiter_max_reduction_db")
        assert "Slate" == titles(page)[0]
        page.keyboard.press("a")
        page.wait_for_selector(".toast:has-text('approved')")
        page.keyboard.press("Enter")
        page.wait_for_selector("#asking")
        page.locator("#asking summary").first.click()
        page.select_option("label:has-text('Limiting') select", "-1")
        page.locator("button", has_text="Reject").first.click()
        page.wait_for_selector(".toast:has-text('rejected')")
    mastered.run()
    assert worst_db() < before_db - 0.9
    with review(mastered) as running:
        opened(page, f"{running.url}/", "view=track&track=T3")
        told = page.locator("main").inner_text()
        assert "void" == states(page)["T3"]
        assert re.search(r"asked by Ann.*less limiting", told)
        go(page, "view=changes")
        assert "Slate" in page.locator("main").inner_text()
