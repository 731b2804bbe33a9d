// How a reviewer decides: buttons and keys for one track, an album, or all that a filter keeps; and what the next run shall do otherwise.

const ASKS = [
  [
    "tone_steps",
    "Tone",
    [
      [3, "much brighter"],
      [2, "brighter by 2 steps"],
      [1, "brighter"],
      [0, "as it is"],
      [-1, "darker"],
      [-2, "darker by 2 steps"],
      [-3, "much darker"],
    ],
  ],
  [
    "loudness_steps",
    "Loudness",
    [
      [3, "louder by 3 LU"],
      [2, "louder by 2 LU"],
      [1, "louder by 1 LU"],
      [0, "as it is"],
      [-1, "quieter by 1 LU"],
      [-2, "quieter by 2 LU"],
      [-3, "quieter by 3 LU"],
    ],
  ],
  [
    "limiting_steps",
    "Limiting",
    [
      [0, "as it is"],
      [-1, "less limiting"],
      [-2, "much less limiting"],
      [-3, "as little as can be"],
    ],
  ],
  [
    "width_steps",
    "Width",
    [
      [3, "much wider"],
      [2, "wider by 2 steps"],
      [1, "wider"],
      [0, "as it is"],
      [-1, "narrower"],
      [-2, "narrower by 2 steps"],
      [-3, "much narrower"],
    ],
  ],
];

/** A revision in words. */
function revisionWords(revision) {
  const words = ASKS.filter(([name]) => revision[name]).map(
    ([name, , options]) => options.find(([steps]) => steps === revision[name])?.[1] ?? `${name} ${revision[name]}`,
  );
  if (revision.tone_amount_ratio !== undefined && revision.tone_amount_ratio !== null)
    words.push(`${Math.round(100 * revision.tone_amount_ratio)} % of the tone correction`);
  if (revision.leave_alone) words.push("leave it alone");
  if (revision.reference) words.push(`like ${revision.reference}`);
  return words.join(", ") || "nothing otherwise";
}

/** Buttons for some tracks, with the form for reason, note and what to do otherwise. */
function decisionBar(page, tracks, { scope }) {
  const { signoff } = page.catalogue;
  if (!tracks.length || !signoff.canDecide)
    return element("p", { class: "muted" }, tracks.length ? "You may look and listen, and not decide." : "");
  const form = askingForm(page, tracks, scope);
  if (scope === "track") signoff.form = { track: tracks[0], node: form.node, asked: form.asked };
  const act = (word) => page.decide(tracks, { word, scope, ...form.asked() });
  const what = scope === "album" ? "the album" : "this track";
  const key = (letter) => (scope === "album" ? null : element("kbd", {}, letter)); // one key decides about one track
  return element(
    "section",
    { class: "card no-print", "aria-label": `Decide about ${what}` },
    element(
      "div",
      { class: "row" },
      element("button", { type: "button", onclick: () => act("approve") }, "Approve ", key("a")),
      element("button", { type: "button", onclick: () => act("needs_work") }, "Needs work ", key("n")),
      element("button", { type: "button", onclick: () => act("reject") }, "Reject ", key("r")),
      element("button", { type: "button", onclick: () => page.undo() }, "Undo ", element("kbd", {}, "u")),
      element(
        "span",
        { class: "muted" },
        scope === "album" ? `counts for all ${tracks.length} masters of the album` : "",
      ),
    ),
    form.node,
  );
}

/** What the next run shall do otherwise; begins with what was asked for before, for that stays in force until it is changed. */
function askingForm(page, tracks, scope) {
  const { catalogue } = page;
  const subject = catalogue.value(scope === "album" ? "album_id" : "track_id", tracks[0]);
  const before = catalogue.signoff.revisionOf(scope, subject) ?? {};
  const wishes = wishFields(before);
  const reason = element("input", { type: "text", maxlength: 500 }),
    note = element("textarea", { maxlength: 5000 });
  const node = element(
    "details",
    { id: "asking", open: Object.keys(before).length > 0 },
    element("summary", {}, "Reason, note, and what the next run shall do otherwise"),
    element("div", { class: "row" }, element("label", {}, "Reason", reason)),
    element(
      "fieldset",
      {},
      element("legend", {}, scope === "album" ? "For the whole album" : "For this track"),
      wishes.rows,
      element(
        "p",
        { class: "muted" },
        "The next lathe run obeys, says so in its plan, and goes on doing so until it is changed here.",
      ),
    ),
    element("label", {}, "Note", note),
  );
  return { node, asked: () => ({ reason: reason.value, note: note.value, revision: wishes.revision() }) };
}

const TONE_AMOUNTS = [
  ["", "as the style has it"],
  [0, "none"],
  [0.25, "a quarter"],
  [0.5, "half"],
  [0.75, "three quarters"],
  [1, "all of it"],
];

/** What can be asked for, in two rows, and the revision that it makes. */
function wishFields(before) {
  const selects = ASKS.map(([name, label, options]) => [name, choiceOf(label, options, before[name] ?? 0)]);
  const amount = choiceOf("Tone correction", TONE_AMOUNTS, before.tone_amount_ratio ?? "");
  const alone = element("input", { type: "checkbox", checked: before.leave_alone ?? false });
  const place = { type: "text", value: before.reference ?? "", placeholder: "file or gs:// address" };
  const reference = element("input", place);
  const labels = selects.map(([, { label }]) => label);
  const rows = [
    element("div", { class: "row" }, labels, amount.label),
    element(
      "div",
      { class: "row" },
      element("label", {}, alone, "Leave it alone: only loudness, ceiling and format"),
      element("label", {}, "Like another recording", reference),
    ),
  ];
  return { rows, revision: () => revisionOf(selects, amount, alone, reference, before) };
}

function choiceOf(label, told, value) {
  // A value that only the command line can give stays until somebody chooses another.
  const offered = told.some(([one]) => String(one) === String(value));
  const options = offered ? told : [...told, [value, `as asked: ${value}`]];
  const select = element(
    "select",
    {},
    options.map(([steps, text]) => element("option", { value: String(steps) }, text)),
  );
  select.value = String(value);
  return { select, label: element("label", {}, label, select) };
}

/** Null where nothing is asked for, and nothing was; an empty one takes back what was asked for before. */
function revisionOf(selects, amount, alone, reference, before) {
  const asked = {};
  for (const [name, { select }] of selects) if (Number(select.value)) asked[name] = Number(select.value);
  if (amount.select.value !== "") asked.tone_amount_ratio = Number(amount.select.value);
  if (alone.checked) asked.leave_alone = true;
  if (reference.value.trim()) asked.reference = reference.value.trim();
  const same = JSON.stringify(sorted(asked)) === JSON.stringify(sorted(before));
  return same ? null : asked;
}

function sorted(record) {
  return Object.fromEntries(
    Object.entries(record)
      .filter(([, value]) => value !== null && value !== 0 && value !== false)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** One decision for everything that the filters keep. */
function bulkBar(page, table) {
  const { catalogue } = page;
  if (!catalogue.signoff.canDecide) return null;
  const tracks = Array.from(table.order).filter((i) => catalogue.hasMasters(i));
  const act = (word, told) => {
    if (confirm(`${told} all ${count(tracks.length, "track")} that the filters keep?`))
      page.decide(tracks, { word, reason: "decided by filter" });
  };
  return element(
    "div",
    { class: "row no-print", role: "group", "aria-label": "Decide about what the filters keep" },
    element("span", { class: "muted" }, "The chosen row: keys a, n, r, u. All of these:"),
    element(
      "button",
      { type: "button", disabled: !tracks.length, onclick: () => act("approve", "Approve") },
      `Approve ${tracks.length.toLocaleString("en")}`,
    ),
    element(
      "button",
      { type: "button", disabled: !tracks.length, onclick: () => act("needs_work", "Send back") },
      "Needs work",
    ),
    element("button", { type: "button", disabled: !tracks.length, onclick: () => act("reject", "Reject") }, "Reject"),
  );
}

/** Who decides, where that is kept, and how it gets from here to the next run. */
function signoffView(page) {
  const { signoff } = page.catalogue;
  const here = signoff instanceof KeptHere;
  return [
    element("h2", {}, "Sign-off"),
    element("p", {}, signoff.where),
    here ? nameField(signoff) : null,
    here ? exchange(page) : null,
    signoff.canRelease
      ? element(
          "section",
          { class: "card" },
          element("h3", {}, "Release"),
          element(
            "p",
            {},
            "Copies the approved masters to released/, each checked against the hash that was approved.",
          ),
          element(
            "button",
            { type: "button", class: "main", onclick: () => page.release() },
            "Release what is approved",
          ),
        )
      : null,
    element("section", { class: "card" }, element("h3", {}, "Every decision"), decisionList(page)),
  ];
}

function nameField(signoff) {
  const input = element("input", { type: "text", value: signoff.reviewer, autocomplete: "name", id: "reviewer" });
  input.addEventListener("change", () => signoff.named(input.value.trim()));
  return element("p", {}, element("label", {}, "Your name", input));
}

function exchange(page) {
  const { signoff } = page.catalogue;
  const file = element("input", {
    type: "file",
    accept: "application/json,.json",
    "aria-label": "A file of decisions",
  });
  file.addEventListener("change", async () =>
    page.tried(async () => `${count(signoff.imported(await file.files[0].text()), "decision")} came new from the file`),
  );
  return element(
    "div",
    { class: "row" },
    element(
      "button",
      {
        type: "button",
        class: "main",
        disabled: !signoff.decisions.length,
        onclick: () => saved(`signoff-${page.catalogue.run.run_id}.json`, signoff.exported()),
      },
      "Export the decisions",
    ),
    element("label", {}, "Import", file),
  );
}

function saved(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function decisionList(page) {
  const { signoff } = page.catalogue;
  const newest = [...signoff.decisions].reverse().slice(0, 500);
  if (!newest.length) return element("p", { class: "muted" }, "None yet.");
  const line = (one) => {
    const i = page.catalogue.place(one.track_id);
    return element(
      "li",
      {},
      i === null ? one.track_id : trackLink(page.catalogue, i),
      `: ${one.word === "undo" ? `decision ${one.undoes} taken back, ${one.at}, ${one.reviewer}` : historyWords(one, page.catalogue, i)}`,
    );
  };
  return element("ul", {}, newest.map(line));
}
