"""The report of odd catalogues, by keyboard alone, on paper and on a phone, in a real browser."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from review.report import write_report
from schemas.codes import CODES
from schemas.figures import Figures
from schemas.qc import AlbumRow, Finding
from tests.review.outputs import HOSTILE, album_row, output_of, write_table
from tests.review.test_report_page import from_disk, go, opened, titles

VIEWS = [
    "",
    "view=tracks",
    "view=albums",
    "view=albums&album=album",
    "view=distributions",
    "view=changes",
    "view=track&track=T1",
]


def report_of(page, made, view=""):
    return opened(page, Path(write_report(str(made.path))).as_uri(), view)


def many(made, count, **each):
    """The one track of an output as many tracks."""
    made.rows["R1"] = [
        msgspec.structs.replace(
            made.rows["R1"][0], track_id=f"T{k:04d}", title=f"Song {k}", **{name: of(k) for name, of in each.items()}
        )
        for k in range(count)
    ]
    made.finish()
    return made


# Large and hostile


def test_a_large_table_keeps_few_rows_as_elements_and_every_one_in_reach(page, tmp_path):
    made = output_of(tmp_path, "T0")
    first = made.rows["R1"][0]
    made.rows["R1"] = [msgspec.structs.replace(first, track_id=f"T{k:04d}", title=f"Song {k}") for k in range(2_000)]
    made.finish()
    opened(page, Path(write_report(str(made.path))).as_uri(), "view=tracks&sort=title")
    assert len(titles(page)) < 100
    page.keyboard.press("End")
    page.wait_for_selector("tr[aria-rowindex='2001']")
    assert "Song 1999" == titles(page)[-1]
    page.keyboard.press("Enter")
    page.wait_for_selector("main h2:has-text('Song 1999')")


# Kept as text


def test_hostile_texts_are_shown_and_never_run(page, tmp_path):
    texts = [
        *HOSTILE,
        *(
            f"{open}{number}"
            for number in range(20)
            for open in (
                "<img src=x onerror=alert(1)>",
                "</title><script>",
                "${alert(1)}",
                "`;alert(1)//",
                "\u2028",
                "&lt;b&gt;",
                "%3Cscript%3E",
                "javascript:alert(1)",
                "]]>",
            )
        ),
    ]
    assert len(texts) > 190
    made = output_of(tmp_path, "T0")
    first, rows = made.rows["R1"][0], []
    for k, text in enumerate(texts):
        rows.append(
            msgspec.structs.replace(
                first,
                track_id=text or "empty",
                **dict.fromkeys(("title", "artist", "album_id", "genre", "isrc", "reason", "profile"), text or "x"),
            )
        )
        rows[-1] = msgspec.structs.replace(rows[-1], track_id=f"{k} {text}"[:300])
    made.rows["R1"] = rows
    made.finish()
    page.on("dialog", lambda dialog: pytest.fail("a text was run"))
    opened(page, Path(write_report(str(made.path))).as_uri(), "view=tracks&cols=title,artist,album,genre,isrc")
    for k in (0, 1, 14, 15, 16, 17, 18):
        page.evaluate(
            "(id) => { location.hash = new URLSearchParams({ view: 'track', track: id }); }", rows[k].track_id
        )
        page.wait_for_selector("main section:has-text('Provenance')")
        assert (
            rows[k].title[:40].split()
            == page.locator("main h2").first.text_content()[: len(rows[k].title)][:40].split()
        )
    go(page, "view=albums")
    go(page, "view=distributions")
    assert 0 == page.locator("main img, main script").count()


# Odd


def all_rejected(place):
    made = output_of(place)
    made.finish(rejected=["T1", "T2"])
    return made


def rejected_since(place):
    made = output_of(place, "T1")
    made.finish("R2", rejected=["T1"])
    return made


def nothing_known(place):
    bare = {"title": None, "artist": None, "sequence": None, "isrc": None}
    return output_of(place, "T1", **bare, source=Figures(spectrum_db=(*[None] * 9, -30.0, *[None] * 21)))


@pytest.mark.parametrize("odd", [output_of, all_rejected, rejected_since, nothing_known])
def test_an_odd_catalogue_is_shown_in_every_view(page, tmp_path, odd):
    report_of(page, odd(tmp_path))
    for view in VIEWS:
        go(page, view)
        told = page.locator("main").inner_text()
        assert not [word for word in ("cannot be shown", "undefined", "[object", "NaN", "null") if word in told], view


@pytest.mark.parametrize(
    "view", ["view=constructor", "view=tracks&cols=toString", "view=tracks&sort=codes", "view=tracks&range=valueOf:0:1"]
)
def test_an_address_that_nobody_made_shows_something_all_the_same(page, mastered, view):
    from_disk(page, mastered, view)
    assert "cannot be shown" not in page.locator("main").inner_text()
    assert "[object" not in page.locator("main").inner_text()


def test_a_track_names_the_version_that_its_own_run_had(page, tmp_path):
    made = output_of(tmp_path, "T1", "T2")
    made.master("T2", run="R2")
    made.finish("R2")
    for run, version in (("R1", "7.0"), ("R2", "8.0")):
        path = made.path / "runs" / f"{run}.json"
        path.write_text(path.read_text()[:-1] + f', "versions": {{"lathe": "{version}", "sound": 1}}}}')
    report_of(page, made, "view=track&track=T1")
    assert "7.0, sound version 1" in page.locator("main").inner_text()


def test_what_was_found_of_an_album_stands_in_the_overview_in_plain_words(page, tmp_path):
    made = output_of(tmp_path, "T1")
    finding = Finding(code="ALBUM_INCOMPLETE", severity="warn", text="1 of 2 tracks were rejected")
    write_table(made.path, "albums", "R1", AlbumRow, [album_row(album="Stones", findings=(finding,))])
    report_of(page, made)
    assert "Stones: 1 of 2 tracks were rejected" in page.locator(".finding li").all_inner_texts()
    assert "Show" not in page.locator(".finding").inner_text()
    go(page, "view=albums")
    assert CODES["ALBUM_INCOMPLETE"].title in page.locator("tbody").inner_text()


def test_discs_are_told_apart(page, tmp_path):
    made = many(output_of(tmp_path, "T0"), 4, disc=lambda k: 1 + k // 2, sequence=lambda k: 1 + k % 2)
    report_of(page, made, "view=albums&album=album")
    assert ["1-1", "1-2", "2-1", "2-2"] == page.locator("main tbody td:first-child").all_inner_texts()


def test_albums_are_chosen_by_name_and_those_of_one_name_by_artist(page, tmp_path):
    names = {"a": ("Ten", "Ann"), "b": ("Äther", "Bob"), "c": ("Ten", "Cy")}
    made = many(output_of(tmp_path, "T0"), 3, album_id=lambda k: "abc"[k])
    rows = [album_row(album_id=name, album=album, artist=artist) for name, (album, artist) in names.items()]
    write_table(made.path, "albums", "R1", AlbumRow, rows)
    report_of(page, made, "view=tracks")
    assert ["Album: any", "Äther", "Ten – Ann", "Ten – Cy"] == page.locator("#filter-album option").all_inner_texts()


# By keyboard alone


def test_enter_on_a_heading_sorts_and_the_heading_keeps_the_focus(page, mastered):
    from_disk(page, mastered, "view=tracks")
    page.locator("#sort-lufs").focus()
    for state in ("ascending", "descending"):
        page.keyboard.press("Enter")
        page.wait_for_selector(f"th[aria-sort={state}]")
        assert "sort-lufs" == focus(page)


def test_a_filter_that_is_chosen_with_arrows_keeps_the_focus(page, mastered):
    from_disk(page, mastered, "view=tracks")
    page.locator("#filter-verdict").focus()
    for found in (1, 5):
        page.keyboard.press("ArrowDown")
        page.wait_for_selector(f"main h2:has-text('{found} of')")
        assert "filter-verdict" == focus(page)


def test_columns_and_bars_keep_the_focus(page, mastered):
    from_disk(page, mastered, "view=tracks")
    page.locator("#columns summary").click()
    page.locator("#column-isrc").focus()
    page.keyboard.press(" ")
    page.wait_for_selector("#sort-isrc")
    assert ("column-isrc", 1) == (focus(page), page.locator("#columns[open]").count())
    go(page, "view=distributions")
    bar = page.locator("rect.bin").nth(1)
    name = bar.get_attribute("id")
    bar.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".chips button")
    assert name == focus(page)


def focus(page):
    return page.evaluate("document.activeElement.id")


def test_what_is_said_after_a_search_is_how_many_were_found(page, mastered):
    from_disk(page, mastered, "view=tracks")
    page.keyboard.press("/")
    page.keyboard.type("granite")
    page.wait_for_selector("main h2:has-text('1 of')")
    page.wait_for_timeout(100)
    assert "1 of 6 tracks" == page.locator("#state").text_content()


def test_a_mailed_track_has_its_neighbours(page, mastered):
    from_disk(page, mastered, "view=track&track=T2&sort=track_id")
    page.keyboard.press("]")
    page.wait_for_selector("main h2:has-text('Slate')")
    assert "track=T3" in page.url


# On paper and on a phone


def test_paper_has_every_row_and_a_verdict_in_each(page, tmp_path):
    report_of(page, many(output_of(tmp_path, "T0", verdict="listen"), 300), "view=tracks")
    assert len(titles(page)) < 100
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert 300 == len(titles(page))
    assert page.locator("tbody .tag.listen").last.is_visible()
    page.emulate_media(media="screen")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert len(titles(page)) < 100


def test_paper_is_light_whatever_the_screen_is(page, mastered):
    page.emulate_media(color_scheme="dark")
    from_disk(page, mastered)
    page.emulate_media(media="print", color_scheme="dark")
    assert "rgb(0, 0, 0)" == page.evaluate("getComputedStyle(document.body).color")


def test_the_page_is_never_wider_than_the_screen(page, tmp_path):
    long = {"title": "x" * 2_000, "artist": "y" * 900, "album_id": "album"}
    made = output_of(tmp_path, "T1", **long)
    write_table(made.path, "albums", "R1", AlbumRow, [album_row(album="z" * 900)])
    page.set_viewport_size({"width": 390, "height": 800})
    report_of(page, made)
    for view in VIEWS:
        go(page, view)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
