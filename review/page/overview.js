// The first view: the verdict in words, and what needs attention, the worst first.

const CLASSES = ["rejected", "fail", "warn", "info"];

function overviewView(page) {
  const { catalogue } = page;
  const counts = VERDICTS.map((_, number) =>
    catalogue.columns.verdict.reduce((sum, verdict) => sum + (verdict === number), 0),
  );
  return [
    element("h2", {}, verdictSentence(counts)),
    element(
      "div",
      { class: "verdicts" },
      VERDICTS.map((verdict, number) =>
        element(
          "button",
          { type: "button", disabled: !counts[number], onclick: () => page.go({ view: "tracks", verdict }) },
          tag(verdict),
          ` ${counts[number].toLocaleString("en")}`,
        ),
      ).reverse(),
    ),
    signoffSentence(page),
    element(
      "section",
      { class: "card", "aria-labelledby": "attention" },
      element("h2", { id: "attention" }, "What needs attention"),
      findingGroups(page),
    ),
    runCard(catalogue),
  ];
}

function verdictSentence([rejected, listen, ready]) {
  const parts = [];
  if (ready) parts.push(`${count(ready, "track")} ${ready === 1 ? "is" : "are"} ready`);
  if (listen) parts.push(`${listen.toLocaleString("en")} want${listen === 1 ? "s" : ""} a listen`);
  if (rejected) parts.push(`${rejected.toLocaleString("en")} ${rejected === 1 ? "is" : "are"} rejected`);
  return parts.length ? `${parts.join(", ")}.` : "There are no tracks.";
}

function signoffSentence(page) {
  const tally = {};
  for (let i = 0; i < page.catalogue.size; i++)
    if (page.catalogue.hasMasters(i)) {
      const { state } = page.catalogue.signoff.stateOf(i);
      tally[state] = (tally[state] ?? 0) + 1;
    }
  return element(
    "p",
    { class: "row" },
    "Sign-off:",
    STATES.filter((state) => tally[state]).map((state) =>
      element(
        "button",
        { type: "button", onclick: () => page.go({ view: "tracks", signoff: state }) },
        tag(state),
        ` ${tally[state].toLocaleString("en")}`,
      ),
    ),
  );
}

/** Findings by code: what they mean, how many tracks have them, the worst in their own words. */
function findingGroups(page) {
  const { catalogue } = page;
  const many = new Array(catalogue.codes.length).fill(0);
  for (const codes of catalogue.columns.codes) for (const code of codes ?? []) many[code]++;
  const albums = albumFindings(catalogue);
  const codes = new Set([...catalogue.codes.filter((_, number) => many[number]), ...albums.keys()]);
  const groups = [...codes].map((code) => ({
    code,
    tracks: many[catalogue.codes.indexOf(code)] ?? 0,
    albums: albums.get(code) ?? [],
  }));
  const rank = ({ code }) => CLASSES.indexOf(catalogue.words[code]?.severity ?? "info");
  groups.sort((a, b) => rank(a) - rank(b) || b.tracks + b.albums.length - a.tracks - a.albums.length);
  if (!groups.length) return element("p", {}, "Nothing: no finding on any track or album.");
  return groups.map((group) => findingGroup(page, group));
}

/** What was found of albums as a whole: by code, in which album and in which words. */
function albumFindings(catalogue) {
  const found = new Map();
  for (const [id, album] of Object.entries(catalogue.albums))
    for (const { code, text } of album.findings) {
      if (!found.has(code)) found.set(code, []);
      found.get(code).push([id, text]);
    }
  return found;
}

function findingGroup(page, { code, tracks, albums }) {
  const { catalogue } = page;
  const words = catalogue.words[code] ?? { severity: "info", title: code, meaning: "", mend: "", ignore: "" };
  const named = catalogue.worst[code] ?? [];
  return element(
    "section",
    { class: "finding", "aria-label": words.title },
    element(
      "div",
      { class: "row spread" },
      element("h3", {}, tag(words.severity), ` ${words.title} `, element("span", { class: "muted code" }, code)),
      tracks
        ? element(
            "button",
            { type: "button", onclick: () => page.go({ view: "tracks", code }) },
            `Show ${count(tracks, "track")}`,
          )
        : null,
    ),
    element("p", {}, words.meaning),
    element(
      "ul",
      {},
      named.map(([i, text]) => element("li", {}, trackLink(catalogue, i), `: ${text}`)),
      andMore(tracks - named.length),
      albums.slice(0, ALBUMS_NAMED).map(([id, text]) => element("li", {}, albumLink(catalogue, id), `: ${text}`)),
      andMore(albums.length - ALBUMS_NAMED),
    ),
    element(
      "details",
      {},
      element("summary", {}, "What to do, and when to leave it"),
      element("p", {}, words.mend),
      element("p", { class: "muted" }, `Leave it: ${words.ignore}`),
    ),
  );
}

const ALBUMS_NAMED = 5; // as many as tracks

function andMore(left) {
  return left > 0 ? element("li", { class: "muted" }, `and ${left.toLocaleString("en")} more`) : null;
}

function albumLink(catalogue, id) {
  return element("a", { href: hashOf({ ...NEUTRAL, view: "albums", album: id }) }, catalogue.albums[id].album ?? id);
}

function trackLink(catalogue, i, album = catalogue.albumName(i)) {
  return element(
    "a",
    { href: hashOf({ ...NEUTRAL, view: "track", track: catalogue.value("track_id", i) }) },
    catalogue.title(i) + (album ? ` (${album})` : ""),
  );
}

function runCard(catalogue) {
  const { run } = catalogue;
  const facts = [
    ["Run", run.run_id],
    ["Ended", run.ended],
    ["Manifest", run.manifest],
    ["Lathe", catalogue.versions[run.run_id]],
    ["Compared with", catalogue.compared ?? "no earlier run"],
  ];
  return element(
    "section",
    { class: "card" },
    element("h3", {}, "Where this comes from"),
    element(
      "dl",
      { class: "steps" },
      facts
        .filter(([, value]) => value)
        .map(([name, value]) => [element("dt", {}, name), element("dd", { class: "hash" }, String(value))]),
    ),
    element(
      "p",
      { class: "muted" },
      "Every figure here was measured on the delivered files. The same rows, and more, stand as Parquet below qc/.",
    ),
  );
}
