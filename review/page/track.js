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
  const order = page.table?.order ?? null;
  const at = order ? order.indexOf(i) : -1;
  const step = (by, text) =>
    order && order[at + by] !== undefined && at >= 0
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
        catalogue.value("artist", i),
        " · ",
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
    finding.at_s
      .slice(0, most)
      .map((at_s) => ({ at_s, text: catalogue.words[finding.code]?.title ?? finding.code })),
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

/** Waveforms one over the other, short-term loudness and the limiter's work below; a click plays from there. */
function overTime(catalogue, i, row, listening) {
  const width = 900,
    { source, master } = row.overview;
  const playhead = drawn("line", { class: "playhead", x1: 0, x2: 0, y1: 0, y2: 330 });
  const moments = listening.moments.map((moment) =>
    drawn(
      "line",
      {
        class: "moment",
        x1: (moment.at_s / row.duration_s) * width,
        x2: (moment.at_s / row.duration_s) * width,
        y1: 0,
        y2: 150,
      },
      drawn("title", {}, `${clock(moment.at_s)} ${moment.text}`),
    ),
  );
  const y = (lufs) => 165 + (1 - (Math.max(-45, Math.min(0, lufs)) + 45) / 45) * 95;
  const lines = (letters) => {
    const points = loudnessOf(letters);
    return linePath(points, (k) => ((k + 0.5) / points.length) * width, y);
  };
  const drawing = chart(
    timeWords(row),
    width,
    330,
    drawn("line", { class: "axis", x1: 0, x2: width, y1: 75, y2: 75 }),
    drawn("path", { class: "wave before", d: wavePath(heights(source.high), heights(source.low), width, 75, 72) }),
    drawn("path", { class: "wave after", d: wavePath(heights(master.high), heights(master.low), width, 75, 72) }),
    moments,
    [-40, -30, -20, -10].map((lufs) => [
      drawn("line", { class: "axis", x1: 0, x2: width, y1: y(lufs), y2: y(lufs) }),
      drawn("text", { x: 2, y: y(lufs) - 2 }, `${lufs} LUFS`),
    ]),
    drawn("path", { class: "before", d: lines(source.loudness) }),
    drawn("path", { class: "after", d: lines(master.loudness) }),
    reductionShape(row, width),
    playhead,
  );
  listening.onopen = (view) =>
    view.onposition?.((seconds) => {
      const x = String((seconds / row.duration_s) * width);
      playhead.setAttribute("x1", x);
      playhead.setAttribute("x2", x);
    });
  listening.onopen(listening.view);
  const seek = (event) => {
    const box = drawing.getBoundingClientRect();
    listening.view.seekFraction((event.clientX - box.left) / box.width);
  };
  drawing.addEventListener("click", seek);
  drawing.classList.add("seek");
  return element(
    "section",
    { class: "card" },
    element("h3", {}, "Over time"),
    legend(""),
    drawing,
    element(
      "p",
      { class: "muted" },
      "Above the waveforms one over the other, below them loudness over 3 s, at the bottom how far the limiter turned peaks down. Click to play from there.",
    ),
  );
}

function timeWords(row) {
  const master = row.masters[0];
  return `Waveform and loudness over ${clock(row.duration_s)}: loudest 3 s ${number(row.source.max_short_term_lufs)} LUFS before, ${number(master.max_short_term_lufs)} after; limiter at most ${number(row.limiter_max_reduction_db)} dB`;
}

/** The limiter's reduction hangs from the top of its strip: 12 dB fill it. */
function reductionShape(row, width) {
  const points = row.overview.reduction
    ? Array.from(row.overview.reduction, (letter) => LETTERS.indexOf(letter) * REDUCTION_STEP_DB)
    : [];
  const deep = (value) => 275 + Math.min(1, value / 12) * 50;
  const strip = [
    drawn("line", { class: "axis", x1: 0, x2: width, y1: 275, y2: 275 }),
    drawn("text", { x: 2, y: 287 }, `limiter, at most ${number(row.limiter_max_reduction_db)} dB`),
  ];
  if (!points.length) return strip;
  const x = (k) => ((k / points.length) * width).toFixed(1);
  const steps = points.map((value, k) => `L${x(k)},${deep(value).toFixed(1)}H${x(k + 1)}`).join("");
  return [drawn("path", { class: "reduction", d: `M0,275${steps}V275Z` }), ...strip];
}

const REDUCTION_STEP_DB = 0.25; // as review/drawings.py writes it

function findingsCard(catalogue, row, listening) {
  const items = row.findings.map((finding) => {
    const words = catalogue.words[finding.code];
    const places = finding.at_s
      .slice(0, MOMENTS)
      .map((at_s) =>
        element(
          "button",
          { type: "button", class: "no-print", onclick: () => listening.view.seekFraction(at_s / row.duration_s) },
          clock(at_s),
        ),
      );
    return element(
      "li",
      {},
      tag(finding.severity),
      ` ${words?.title ?? finding.code}: ${finding.text} `,
      places.length
        ? element(
            "span",
            { class: "chips" },
            places,
            finding.at_s.length > MOMENTS ? ` and ${finding.at_s.length - MOMENTS} more` : null,
          )
        : null,
      words
        ? element(
            "details",
            {},
            element("summary", {}, "What it means"),
            element("p", {}, words.meaning),
            element("p", {}, words.mend),
            element("p", { class: "muted" }, `Leave it: ${words.ignore}`),
          )
        : null,
    );
  });
  return element(
    "section",
    { class: "card" },
    element("h3", {}, "Found"),
    items.length ? element("ul", {}, items) : element("p", {}, "Nothing."),
  );
}

function decisionsCard(plan) {
  const told = plan.decisions ?? [];
  return element(
    "section",
    { class: "card" },
    element("h3", {}, "Decided, and why"),
    element("p", { class: "muted" }, `Profile ${plan.profile}, style ${plan.style} (${plan.intensity})`),
    element(
      "dl",
      { class: "steps" },
      told.map((one) => [
        element("dt", {}, one.what),
        element("dd", {}, element("strong", {}, one.how_much), ` ${one.why}.`),
      ]),
    ),
  );
}

const MEASURED = [
  ["Loudness, LUFS", "integrated_lufs", 1],
  ["Loudness range, LU", "loudness_range_lu", 1],
  ["Loudest 400 ms, LUFS", "max_momentary_lufs", 1],
  ["Loudest 3 s, LUFS", "max_short_term_lufs", 1],
  ["True peak, dBTP", "true_peak_dbtp", 2],
  ["Sample peak, dBFS", "sample_peak_dbfs", 2],
  ["PLR, LU", "plr_lu", 1],
  ["Lowest PSR, LU", "psr_min_lu", 1],
  ["Crest, dB", "crest_db", 1],
  ["DR", "dynamic_range_db", 1],
  ["Correlation", "correlation", 2],
  ["Width", "width_ratio", 2],
  ["Lost in mono, LU", "mono_loss_lu", 1],
  ["Tone, dB/oct", "slope_db_per_octave", 2],
  ["Noise floor, dBFS", "noise_floor_dbfs", 1],
  ["Bandwidth, Hz", "bandwidth_hz", 0],
  ["Bits in use", "true_bits", 0],
];

function figuresCard(row) {
  const sides = [["Source", row.source], ...row.masters.map((master) => [master.delivery, master])];
  return element(
    "section",
    { class: "card" },
    element("h3", {}, "Measured on the files"),
    element(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": "Figures" },
      element(
        "table",
        {},
        element("caption", { class: "visually-hidden" }, "Figures of source and masters"),
        element(
          "thead",
          {},
          element(
            "tr",
            {},
            element("th", { scope: "col" }, "Figure"),
            sides.map(([name]) => element("th", { scope: "col", class: "number" }, name)),
          ),
        ),
        element(
          "tbody",
          {},
          MEASURED.map(([label, key, digits]) =>
            element(
              "tr",
              {},
              element("th", { scope: "row" }, label),
              sides.map(([, figures]) => element("td", { class: "number" }, number(figures[key], digits))),
            ),
          ),
        ),
      ),
    ),
  );
}

function checksCard(row) {
  const failed = row.checks.filter((check) => check.severity !== "passed").length;
  const line = (check) =>
    element(
      "tr",
      {},
      element("td", {}, check.subject),
      element("th", { scope: "row" }, check.measure.replaceAll("_", " ")),
      element("td", { class: "number" }, `${number(check.value, 2)} ${check.unit}`),
      element("td", {}, check.limits),
      element("td", {}, tag(check.severity)),
    );
  return element(
    "details",
    { class: "card" },
    element(
      "summary",
      {},
      element(
        "strong",
        {},
        `${count(row.checks.length, "check")}: ${row.checks.length - failed} passed, ${failed} not`,
      ),
    ),
    element(
      "table",
      {},
      element("caption", { class: "visually-hidden" }, "Every check, also the passed ones"),
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          ["File", "Figure", "Measured", "Limits", "Result"].map((name, k) =>
            element("th", { scope: "col", class: k === 2 ? "number" : null }, name),
          ),
        ),
      ),
      element("tbody", {}, row.checks.map(line)),
    ),
  );
}

function targetsCard(row) {
  const lines = row.masters.flatMap((master) =>
    master.targets.map((target) =>
      element(
        "li",
        {},
        `${master.delivery} for ${target.target} (rules of ${target.date}) `,
        tag(target.passed ? "passed" : "fail"),
        [...target.failed, ...target.risks, ...target.advice].map((text) => element("div", { class: "muted" }, text)),
      ),
    ),
  );
  return lines.length
    ? element(
        "details",
        { class: "card" },
        element("summary", {}, element("strong", {}, "Held against those who take it")),
        element("ul", {}, lines),
      )
    : null;
}

/** Every setting of every processor, as the plan has it. */
function settingsCard(plan) {
  const stages = Object.entries(plan.head ?? {}).filter(([, settings]) => settings !== null);
  const deliveries = (plan.deliveries ?? []).map((one) => [
    one.name,
    { limiter: one.limiter, quantiser: one.quantiser, rate_hz: one.rate_hz },
  ]);
  return element(
    "details",
    { class: "card" },
    element(
      "summary",
      {},
      element(
        "strong",
        {},
        `Every setting: ${count(stages.length, "processor")} before the gain of ${number(plan.gain_db, 2, true)} dB`,
      ),
    ),
    [...stages, ...deliveries].map(([name, settings]) => [
      element("h3", {}, name.replaceAll("_", " ")),
      element("pre", { class: "hash" }, JSON.stringify(settings, null, 1)),
    ]),
  );
}

function historyCard(page, i) {
  const entries = page.catalogue.signoff.historyOf(i);
  return element(
    "section",
    { class: "card" },
    element("h3", {}, "Sign-off so far"),
    entries.length
      ? element(
          "ul",
          {},
          entries.map((one) => element("li", {}, historyWords(one, page.catalogue, i))),
        )
      : element("p", { class: "muted" }, "Nobody has decided about this track."),
  );
}

function historyWords(one, catalogue, i) {
  const other =
    one.masters_key !== (catalogue.columns.key?.[i] ?? null) ? " (about other masters than those that stand)" : "";
  const asks = one.revision ? `; asks for ${revisionWords(one.revision)}` : "";
  return `${one.at.replace("T", " ").replace(/(\.\d+)?(\+00:00|Z)$/, " UTC")}, ${one.reviewer}: ${DONE[one.word] ?? one.word}${one.reason ? `, ${one.reason}` : ""}${one.note ? ` — ${one.note}` : ""}${asks}${other}`;
}

function provenanceCard(catalogue, row) {
  const facts = [
    ["Source", row.source_uri],
    ["its SHA-256", row.source_sha256],
    ...row.masters.flatMap((master) => [
      [`Master ${master.delivery}`, master.path],
      ["its SHA-256", master.sha256],
    ]),
    ["Run", row.run_id],
    ["Lathe", `${catalogue.run.lathe}, sound version ${catalogue.run.sound}`],
  ];
  return element(
    "section",
    { class: "card" },
    element("h3", {}, "Provenance"),
    element(
      "dl",
      { class: "steps" },
      facts.map(([name, value]) => [element("dt", {}, name), element("dd", { class: "hash code" }, value)]),
    ),
  );
}
