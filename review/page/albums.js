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
      tableOf(
        "Albums, the worst verdict first",
        ["Album", "Artist", "Verdict", ...ALBUM_FIGURES, "Findings"],
        ALBUM_FIGURES,
        shown.map((id) => albumRow(catalogue, id)),
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
const ALBUM_FIGURES = ["Tracks", "Before, LUFS", "After, LUFS", "Target", "Gain, dB"];

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
    element("th", { scope: "row" }, albumLink(catalogue, id)),
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
  const placeOf = placesOf(catalogue, tracks);
  const mastered = tracks.filter((i) => catalogue.hasMasters(i));
  return [
    element("p", {}, element("a", { href: hashOf({ ...NEUTRAL, view: "albums" }) }, "All albums")),
    element("h2", {}, album.album ?? id, " ", tag(album.verdict)),
    element("p", {}, albumSentence(album)),
    element(
      "ul",
      {},
      album.findings.map((finding) => element("li", {}, tag(finding.severity), ` ${finding.text}`)),
    ),
    page.decisionBar(mastered, { scope: "album" }),
    albumStairs(catalogue, album, mastered, placeOf),
    element("section", { class: "card" }, element("h3", {}, "In order"), albumTable(catalogue, tracks, placeOf)),
  ];
}

/** Loudness and tone from track to track, as stairs. */
function albumStairs(catalogue, album, tracks, placeOf) {
  const [loudness, tone] = ["Loudness from track to track", "Tone from track to track"];
  const steps = (before, after) =>
    tracks.map((i) => ({
      name: catalogue.title(i),
      mark: placeOf(i),
      before: catalogue.value(before, i),
      after: catalogue.value(after, i),
    }));
  const target = album.loudness_mode === "track" ? album.target_lufs : null; // of an album, no track need meet it
  return [
    element(
      "section",
      { class: "card" },
      element("h3", {}, loudness),
      legend(target === null ? "" : "target"),
      stairs(loudness, steps("lufs_before", "lufs"), target, "LUFS"),
    ),
    element(
      "section",
      { class: "card" },
      element("h3", {}, tone),
      element("p", { class: "muted" }, "Slope of the spectrum, 100 Hz to 4 kHz: the higher, the brighter."),
      legend(""),
      stairs(tone, steps("slope_before", "slope"), null, "dB/oct"),
    ),
  ];
}

function stairs(label, ...told) {
  return wide(label, staircase(label, ...told));
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
  }[album.loudness_mode ?? "track"];
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

/** The number of a track, with its disc where there are several. */
function placesOf(catalogue, tracks) {
  const discs = new Set(tracks.map((i) => catalogue.value("disc", i)).filter((disc) => disc !== null));
  return (i) => {
    const number = catalogue.value("sequence", i) ?? "";
    return discs.size > 1 && number !== "" ? `${catalogue.value("disc", i)}-${number}` : String(number);
  };
}

function albumTable(catalogue, tracks, placeOf) {
  const row = (i) =>
    element(
      "tr",
      {},
      element("td", { class: "number" }, placeOf(i)),
      element("th", { scope: "row" }, trackLink(catalogue, i, null)),
      element("td", {}, tag(catalogue.value("verdict", i))),
      ["lufs_before", "lufs", "gain_db"].map((name) =>
        element("td", { class: "number" }, number(catalogue.value(name, i), 1, name === "gain_db")),
      ),
      element("td", {}, gapWords(catalogue, i)),
    );
  const figures = ["Before, LUFS", "After, LUFS", "Gain, dB"];
  const headings = ["No.", "Title", "Verdict", ...figures, "To the next"];
  return wide("Tracks in order", tableOf("Tracks in order", headings, ["No.", ...figures], tracks.map(row)));
}

function gapWords(catalogue, i) {
  if (!catalogue.hasMasters(i)) return "";
  if (catalogue.value("joins", i)) return "runs on without a gap";
  const silence = catalogue.value("tail_silence_s", i);
  return silence === null ? "" : `${number(silence, 1)} s of silence at its end`;
}
