// What stands around a track's drawings: findings, decisions, figures, checks, settings, sign-off so far, and where it all comes from.

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
    plan.profile
      ? element("p", { class: "muted" }, `Profile ${plan.profile}, style ${plan.style} (${plan.intensity})`)
      : null,
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
  const names = sides.map(([name]) => name);
  const line = ([label, key, digits]) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, label),
      sides.map(([, figures]) => element("td", { class: "number" }, number(figures[key], digits))),
    );
  return element(
    "section",
    { class: "card" },
    element("h3", {}, "Measured on the files"),
    wide("Figures", tableOf("Figures of source and masters", ["Figure", ...names], names, MEASURED.map(line))),
  );
}

/** A card that shows its title until it is opened. */
function foldedCard(title, ...children) {
  return element("details", { class: "card" }, element("summary", {}, element("strong", {}, title)), children);
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
  return foldedCard(
    `${count(row.checks.length, "check")}: ${row.checks.length - failed} passed, ${failed} not`,
    wide(
      "Checks",
      tableOf(
        "Every check, also the passed ones",
        ["File", "Figure", "Measured", "Limits", "Result"],
        ["Measured"],
        row.checks.map(line),
      ),
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
  return lines.length ? foldedCard("Held against those who take it", element("ul", {}, lines)) : null;
}

/** Every setting of every processor, as the plan has it. */
function settingsCard(plan) {
  const stages = Object.entries(plan.head ?? {}).filter(([, settings]) => settings !== null);
  const deliveries = (plan.deliveries ?? []).map((one) => [
    one.name,
    { limiter: one.limiter, quantiser: one.quantiser, rate_hz: one.rate_hz },
  ]);
  return foldedCard(
    `Every setting: ${count(stages.length, "processor")} before the gain of ${number(plan.gain_db, 2, true)} dB`,
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
    ["Lathe", catalogue.versions[row.run_id] ?? "the record of the run does not say"],
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
