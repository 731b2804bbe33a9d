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
  const many = new Map();
  for (let i = 0; i < catalogue.size; i++)
    for (const code of catalogue.columns.codes[i] ?? []) many.set(code, (many.get(code) ?? 0) + 1);
  const groups = [...many].map(([number, tracks]) => ({ code: catalogue.codes[number], tracks }));
  const rank = ({ code }) => CLASSES.indexOf(catalogue.words[code]?.severity ?? "info");
  groups.sort((a, b) => rank(a) - rank(b) || b.tracks - a.tracks);
  if (!groups.length) return element("p", {}, "Nothing: no finding on any track.");
  return groups.map((group) => findingGroup(page, group));
}

function findingGroup(page, { code, tracks }) {
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
      element(
        "button",
        { type: "button", onclick: () => page.go({ view: "tracks", code }) },
        `Show ${count(tracks, "track")}`,
      ),
    ),
    element("p", {}, words.meaning),
    element(
      "ul",
      {},
      named.map(([i, text]) => element("li", {}, trackLink(catalogue, i), `: ${text}`)),
      tracks > named.length
        ? element("li", { class: "muted" }, `and ${(tracks - named.length).toLocaleString("en")} more`)
        : null,
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

function trackLink(catalogue, i) {
  const album = catalogue.albumName(i);
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
    ["Lathe", `${run.lathe}, sound version ${run.sound}`],
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
