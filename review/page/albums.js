// Albums: all of them with their loudness, and one with its tracks in order, before and after, gaps and joins.

function albumsView(page, view) {
  return view.album ? oneAlbum(page, view.album) : allAlbums(page);
}

function allAlbums(page) {
  const { catalogue } = page;
  const ids = Object.keys(catalogue.albums);
  const worst = (id) => VERDICTS.indexOf(catalogue.albums[id].verdict);
  ids.sort(
    (a, b) => worst(a) - worst(b) || compareTexts(catalogue.albums[a].album ?? a, catalogue.albums[b].album ?? b),
  );
  const shown = ids.slice(0, page.albumsShown ?? ALBUMS_SHOWN);
  return [
    element("h2", {}, count(ids.length, "album")),
    element(
      "div",
      { class: "scroll" },
      element(
        "table",
        {},
        element("caption", { class: "visually-hidden" }, "Albums, the worst verdict first"),
        element(
          "thead",
          {},
          element(
            "tr",
            {},
            [
              "Album",
              "Artist",
              "Verdict",
              "Tracks",
              "Before, LUFS",
              "After, LUFS",
              "Target",
              "Gain, dB",
              "Findings",
            ].map((name, k) => element("th", { scope: "col", class: k > 2 && k < 8 ? "number" : null }, name)),
          ),
        ),
        element(
          "tbody",
          {},
          shown.map((id) => albumRow(catalogue, id)),
        ),
      ),
    ),
    shown.length < ids.length
      ? element(
          "button",
          {
            type: "button",
            onclick: () => {
              page.albumsShown = shown.length + 10 * ALBUMS_SHOWN;
              page.show();
            },
          },
          `Show more of the ${ids.length.toLocaleString("en")}`,
        )
      : null,
  ];
}

const ALBUMS_SHOWN = 500;

function compareTexts(a, b) {
  const [x, y] = [readable(a), readable(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

function albumRow(catalogue, id) {
  const album = catalogue.albums[id];
  const cells = [album.artist ?? "", tag(album.verdict)];
  const figures = [
    String(album.tracks),
    number(album.source_integrated_lufs),
    number(album.master_integrated_lufs),
    number(album.target_lufs),
    number(album.gain_db, 1, true),
  ];
  return element(
    "tr",
    {},
    element(
      "th",
      { scope: "row" },
      element("a", { href: hashOf({ ...NEUTRAL, view: "albums", album: id }) }, album.album ?? id),
    ),
    cells.map((cell) => element("td", {}, cell)),
    figures.map((figure) => element("td", { class: "number" }, figure)),
    element("td", {}, album.findings.map((finding) => catalogue.words[finding.code]?.title ?? finding.code).join(", ")),
  );
}

function oneAlbum(page, id) {
  const { catalogue } = page;
  const album = catalogue.albums[id];
  if (!album)
    return [element("h2", {}, "No such album"), element("p", {}, `There is no album "${id}" in this report.`)];
  const tracks = catalogue.tracksOf(id);
  const steps = (before, after) =>
    tracks
      .filter((i) => catalogue.hasMasters(i))
      .map((i) => ({
        name: catalogue.title(i),
        mark: String(catalogue.value("sequence", i) ?? ""),
        before: catalogue.value(before, i),
        after: catalogue.value(after, i),
      }));
  return [
    element("p", {}, element("a", { href: hashOf({ ...NEUTRAL, view: "albums" }) }, "All albums")),
    element("h2", {}, album.album ?? id, " ", tag(album.verdict)),
    element("p", {}, albumSentence(album)),
    element(
      "ul",
      {},
      album.findings.map((finding) => element("li", {}, tag(finding.severity), ` ${finding.text}`)),
    ),
    page.decisionBar(
      tracks.filter((i) => catalogue.hasMasters(i)),
      { scope: "album" },
    ),
    element(
      "section",
      { class: "card" },
      element("h3", {}, "Loudness from track to track"),
      legend(album.loudness_mode === "track" ? "target" : ""),
      staircase(
        "Loudness from track to track",
        steps("lufs_before", "lufs"),
        album.loudness_mode === "track" ? album.target_lufs : null,
        "LUFS",
      ),
    ),
    element(
      "section",
      { class: "card" },
      element("h3", {}, "Tone from track to track"),
      element("p", { class: "muted" }, "Slope of the spectrum, 100 Hz to 4 kHz: the higher, the brighter."),
      legend(""),
      staircase("Tone from track to track", steps("slope_before", "slope"), null, "dB/oct"),
    ),
    element("section", { class: "card" }, element("h3", {}, "In order"), albumTable(catalogue, tracks)),
  ];
}

function albumSentence(album) {
  const before = number(album.source_integrated_lufs),
    after = number(album.master_integrated_lufs);
  if (album.master_integrated_lufs === null)
    return `${count(album.tracks, "track")}; loudness of the whole was not measured.`;
  const how = {
    album: "one gain for all, from their pooled loudness",
    loudest: "one gain for all, from the loudest track",
    track: "each track by itself",
  }[album.loudness_mode];
  return `${count(album.tracks, "track")}, pooled loudness ${before} LUFS before and ${after} after, target ${number(album.target_lufs)} LUFS: ${how}.`;
}

/** Which line is which; `target` names the third, if there is one. */
function legend(target) {
  return element(
    "p",
    { class: "legend", "aria-hidden": "true" },
    element("span", { class: "before" }, "before"),
    element("span", { class: "after" }, "after"),
    target ? element("span", { class: "target" }, target) : null,
  );
}

function albumTable(catalogue, tracks) {
  const row = (i) =>
    element(
      "tr",
      {},
      element("td", { class: "number" }, String(catalogue.value("sequence", i) ?? "")),
      element("th", { scope: "row" }, trackLink(catalogue, i)),
      element("td", {}, tag(catalogue.value("verdict", i))),
      ["lufs_before", "lufs", "gain_db"].map((name) =>
        element("td", { class: "number" }, number(catalogue.value(name, i), 1, name === "gain_db")),
      ),
      element("td", {}, gapWords(catalogue, i)),
    );
  return element(
    "table",
    {},
    element("caption", { class: "visually-hidden" }, "Tracks in order"),
    element(
      "thead",
      {},
      element(
        "tr",
        {},
        ["No.", "Title", "Verdict", "Before, LUFS", "After, LUFS", "Gain, dB", "To the next"].map((name, k) =>
          element("th", { scope: "col", class: k === 0 || (k > 2 && k < 6) ? "number" : null }, name),
        ),
      ),
    ),
    element("tbody", {}, tracks.map(row)),
  );
}

function gapWords(catalogue, i) {
  if (!catalogue.hasMasters(i)) return "";
  if (catalogue.value("joins", i)) return "runs on without a gap";
  const silence = catalogue.value("tail_silence_s", i);
  return silence === null ? "" : `${number(silence, 1)} s of silence at its end`;
}
