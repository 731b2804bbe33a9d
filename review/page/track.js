// One track: what was done to it and why, how it sounds before and after, and everything it was held against.

async function trackView(page, view) {
  const { catalogue } = page;
  const i = catalogue.place(view.track);
  if (i === null)
    return [element("h2", {}, "No such track"), element("p", {}, `There is no track "${view.track}" in this report.`)];
  if (!catalogue.hasMasters(i)) return rejectedView(page, i);
  const row = await catalogue.details(i);
  const plan = JSON.parse(row.plan);
  const norm = catalogue.norms[row.profile];
  const listening = listeningPanel(page, i, row);
  return [
    trackHeading(page, i),
    element("p", {}, `${row.outcome === "skipped" ? "Left as it stood" : "Mastered"}: ${row.reason}.`),
    page.decisionBar([i], { scope: "track" }),
    await mixCards(page, view.track, row.versions ?? []),
    element(
      "div",
      { class: "two" },
      element(
        "div",
        {},
        overTime(catalogue, i, row, listening),
        listening.panel,
        element(
          "section",
          { class: "card" },
          element("h3", {}, "Spectrum"),
          legend(norm ? `usual: the norm “${norm.name}”` : ""),
          spectrumChart(row.source.spectrum_db, row.masters[0].spectrum_db, norm?.mid_db ?? []),
        ),
      ),
      element("div", {}, findingsCard(catalogue, row, listening), decisionsCard(plan), figuresCard(row)),
    ),
    checksCard(row),
    targetsCard(row),
    settingsCard(plan),
    historyCard(page, i),
    provenanceCard(catalogue, row),
  ];
}

function trackHeading(page, i) {
  const { catalogue } = page;
  const album = catalogue.value("album_id", i);
  const order = page.order();
  const at = order.indexOf(i);
  const step = (by, text) =>
    at >= 0 && order[at + by] !== undefined
      ? element(
          "button",
          { type: "button", onclick: () => page.go({ track: catalogue.value("track_id", order[at + by]) }) },
          text,
        )
      : null;
  page.lastTrack = i;
  return element(
    "div",
    { class: "row spread" },
    element(
      "div",
      {},
      element(
        "h2",
        {},
        catalogue.title(i),
        " ",
        tag(catalogue.value("verdict", i)),
        " ",
        tag(catalogue.signoff.stateOf(i).state),
      ),
      element("p", { class: "muted" }, [
        catalogue.value("artist", i) ? `${catalogue.value("artist", i)} · ` : "",
        element("a", { href: hashOf({ ...NEUTRAL, view: "albums", album }) }, catalogue.albumName(i) ?? ""),
        ` · ${clock(catalogue.value("duration_s", i))} · ${catalogue.value("track_id", i)}`,
      ]),
    ),
    element(
      "div",
      { class: "row no-print" },
      step(-1, "Previous"),
      step(1, "Next"),
      element("button", { type: "button", onclick: () => page.go({ view: "tracks", track: "" }) }, "Back to the table"),
    ),
  );
}

function rejectedView(page, i) {
  const { catalogue } = page;
  const said = catalogue.said[i];
  const code = catalogue.codesOf(i)[0];
  const words = catalogue.words[code];
  return [
    trackHeading(page, i),
    element(
      "section",
      { class: "card" },
      element("h3", {}, tag("rejected"), ` ${words?.title ?? code} `, element("span", { class: "muted code" }, code)),
      element(
        "p",
        {},
        `Row ${said.row} of the manifest. No master was made, for Lathe could not ${said.stage} it: ${said.text}.`,
      ),
      said.hint ? element("p", {}, said.hint) : null,
      words ? [element("p", {}, words.meaning), element("p", {}, `What to do: ${words.mend}`)] : null,
      element("p", { class: "muted hash" }, said.source_uri),
    ),
    historyCard(page, i),
  ];
}

/** Before and after of one delivery, to hear. */
function listeningPanel(page, i, row) {
  const panel = element(
    "section",
    { class: "card no-print", "aria-labelledby": "listen" },
    element("h3", { id: "listen" }, "Listen"),
  );
  const room = element("div");
  const moments = momentsOf(page.catalogue, row, MOMENTS);
  const told = { panel, moments, view: null };
  const open = (master) => {
    told.view?.destroy?.();
    room.replaceChildren();
    told.view = listeningView(room, {
      before: { url: page.audioUrl(i, "source"), lufs: row.source.integrated_lufs, label: "Before" },
      after: { url: page.audioUrl(i, master.delivery), lufs: master.integrated_lufs, label: "After" },
      duration_s: row.duration_s,
      loudest_s: loudestStart(row),
      moments: momentsOf(page.catalogue, row, LOOPED),
    });
    page.listening = told.view;
    told.onopen?.(told.view);
  };
  const names = row.masters.map((master, k) => [
    String(k),
    `${master.delivery} (${master.bits} bit, ${master.rate_hz / 1000} kHz)`,
  ]);
  const select = element(
    "select",
    { "aria-label": "Delivery", onchange: () => open(row.masters[Number(select.value)]) },
    names.map(([value, text]) => element("option", { value }, text)),
  );
  if (names.length > 1) panel.append(element("p", {}, element("label", {}, "Delivery", select)));
  panel.append(room);
  page.audioOf(i, row);
  open(row.masters[0]);
  return told;
}

/** Where something was found, at most so many places of each finding, in the order of time. */
function momentsOf(catalogue, row, most) {
  const places = row.findings.flatMap((finding) =>
    finding.at_s.slice(0, most).map((at_s) => ({ at_s, text: catalogue.words[finding.code]?.title ?? finding.code })),
  );
  return places.sort((a, b) => a.at_s - b.at_s);
}

const MOMENTS = 12; // of a finding that are marked
const LOOPED = 2; // of a finding that have a button of their own
const LOUDEST_S = 15;

/** Where the loudest 15 s begin, by the short-term loudness of the master. */
function loudestStart(row) {
  const loudness = loudnessOf(row.overview.master.loudness).map((value) => (value === null ? 0 : 10 ** (value / 10)));
  if (!loudness.length || row.duration_s <= LOUDEST_S) return 0;
  const many = Math.max(1, Math.round((LOUDEST_S / row.duration_s) * loudness.length));
  let sum = loudness.slice(0, many).reduce((a, b) => a + b, 0),
    best = sum,
    at = 0;
  for (let k = many; k < loudness.length; k++) {
    sum += loudness[k] - loudness[k - many];
    if (sum > best) [best, at] = [sum, k - many + 1];
  }
  return Math.min(row.duration_s - LOUDEST_S, (at / loudness.length) * row.duration_s);
}
