// A song that was mixed from stems: which stems, how loud and where each stands, what covers it, what was found, and why all of that.

function mixesView(page) {
  const { catalogue } = page;
  const songs = Object.entries(catalogue.mixes);
  if (!songs.length) return [element("h2", {}, "No mixes"), element("p", {}, "Nothing here came as stems.")];
  return [
    element("h2", {}, count(songs.length, "mix", "mixes")),
    wide(
      "Mixes",
      tableOf(
        "Songs that were mixed from stems",
        ["Song", "Artist", ...MIX_FIGURES, "Settings", "Found"],
        MIX_FIGURES,
        songs.map(([id, song]) => mixRow(catalogue, id, song)),
      ),
    ),
  ];
}

const MIX_FIGURES = ["Stems", "In use", "LUFS", "dBTP"];

function mixRow(catalogue, id, song) {
  const numbers = [String(song.stems), String(song.used), number(song.lufs), number(song.peak)];
  const found = [...new Set(song.findings.map((one) => catalogue.words[one.code]?.title ?? one.code))];
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, element("a", { href: mixAddress(catalogue, id) }, song.title ?? id)),
    element("td", {}, song.artist ?? ""),
    numbers.map((text) => element("td", { class: "number" }, text)),
    element("td", {}, song.edited ? "a person's" : "decided"),
    element("td", {}, found.join(", ")),
  );
}

/** A song's master shows its mix too; one that was only mixed has a view of its own. */
function mixAddress(catalogue, id) {
  const i = catalogue.place(id);
  return hashOf({ ...NEUTRAL, view: i !== null && catalogue.hasMasters(i) ? "track" : "mix", track: id });
}

async function mixView(page, view) {
  const song = page.catalogue.mixes[view.track];
  if (!song)
    return [element("h2", {}, "No such mix"), element("p", {}, `There is no mix "${view.track}" in this report.`)];
  return [
    element("h2", {}, song.title ?? view.track),
    element(
      "p",
      { class: "muted" },
      `${song.artist ? `${song.artist} · ` : ""}${clock(song.duration_s)} · ${view.track}`,
    ),
    await mixCards(page, view.track),
  ];
}

/** All that is told of a song's mix, with the masters of its versions; nothing for a track that came mixed. */
async function mixCards(page, id, versions = []) {
  const song = page.catalogue.mixes[id];
  if (!song) return null;
  const mix = await loadedChunk(song.script);
  return [
    element(
      "section",
      { class: "card" },
      element("h3", {}, `Mixed from ${count(mix.stems.length, "stem")}`),
      element(
        "p",
        {},
        `${song.outcome === "skipped" ? "Left as it stood" : "Mixed"}: ${mix.reason}. ${song.edited ? "A person's settings were used. " : ""}The mix stands at ${number(song.lufs)} LUFS, with its peaks at ${number(song.peak)} dBTP.`,
      ),
      mixTable(mix),
      element(
        "p",
        { class: "muted hash" },
        `Every setting: ${mix.settings_path}; edit it and give it back with --settings.`,
      ),
    ),
    mixFindings(page.catalogue, mix),
    foldedCard("Why each stem is set as it is", mix.stems.map(stemReasons)),
    foldedCard("Buses, rooms and the whole", wholeReasons(mix)),
    filesCard(mix, versions),
  ];
}

const STEM_FIGURES = ["In the mix, LUFS", "Fader, dB", "Masked before", "after"];

function mixTable(mix) {
  const loudest = Math.max(...mix.stems.map((one) => one.mix_lufs ?? -Infinity));
  const line = (one) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, one.stem_id),
      element("td", {}, roleWords(one)),
      one.state === "used"
        ? [
            element("td", { class: "number" }, number(one.mix_lufs), levelBar(one.mix_lufs, loudest)),
            element("td", { class: "number" }, number(one.gain_db, 1, true)),
            element("td", {}, panPicture(one.strip)),
            element("td", { class: "number" }, share(one.masked_before_ratio)),
            element("td", { class: "number" }, share(one.masked_after_ratio)),
            element("td", {}, treatment(one.strip)),
          ]
        : element("td", { colspan: 6 }, tag("info", one.state), one.strip.why.use ? ` ${one.strip.why.use.text}` : ""),
    );
  return wide(
    "Stems",
    tableOf(
      "Every stem of the song",
      ["Stem", "Role", "In the mix, LUFS", "Fader, dB", "Place", "Masked before", "after", "Done to it"],
      STEM_FIGURES,
      mix.stems.map(line),
    ),
  );
}

function roleWords(one) {
  const from = { manifest: "", name: " (by its name)", audio: " (by its sound)", unknown: " (not known)" };
  return `${one.role.replaceAll("_", " ")}${from[one.role_source] ?? ""}`;
}

function share(ratio) {
  return ratio === null ? "–" : `${Math.round(100 * ratio)} %`;
}

const QUIETEST_LU = 30;

/** How loud a stem stands, against the loudest of its song. */
function levelBar(lufs, loudest) {
  if (lufs === null || !Number.isFinite(loudest)) return null;
  const width = Math.max(0, Math.min(64, (64 * (lufs - loudest + QUIETEST_LU)) / QUIETEST_LU));
  return drawn(
    "svg",
    { class: "bar", viewBox: "0 0 64 12", "aria-hidden": "true" },
    drawn("rect", { class: "ground", width: 64, height: 12 }),
    drawn("rect", { class: "value", width, height: 12 }),
  );
}

/** Where a stem stands between left and right, in words and as a mark on a line. */
function panPicture(strip) {
  const at = 32 + 30 * strip.pan_ratio;
  const side =
    Math.abs(strip.pan_ratio) < 0.005
      ? "centre"
      : `${Math.round(100 * Math.abs(strip.pan_ratio))} % ${strip.pan_ratio < 0 ? "left" : "right"}`;
  return [
    side,
    drawn(
      "svg",
      { class: "bar", viewBox: "0 0 64 12", "aria-hidden": "true" },
      drawn("rect", { class: "ground", y: 5, width: 64, height: 2 }),
      drawn("rect", { class: "value", x: at - 2, width: 4, height: 12 }),
    ),
  ];
}

/** What was done to a stem beside its level and place, in a few words. */
function treatment(strip) {
  const words = strip.inserts.map((one) => one.type.replaceAll("_", " "));
  if (strip.invert) words.unshift("inverted");
  if (strip.delay_frames) words.unshift(`moved by ${number(strip.delay_frames, 2, true)} frames`);
  if (strip.automation_db.length) words.push("ridden");
  if (strip.sharing) words.push("gain sharing");
  words.push(...strip.ducks.map((one) => `gives way to ${one.key}`), ...strip.sends.map((one) => `send to ${one.to}`));
  return words.join(", ") || "nothing";
}

function mixFindings(catalogue, mix) {
  const item = (one) =>
    element("li", {}, tag(one.severity), ` ${catalogue.words[one.code]?.title ?? one.code}: ${one.text}`);
  return element(
    "section",
    { class: "card" },
    element("h3", {}, "What the session check saw"),
    mix.findings.length ? element("ul", {}, mix.findings.map(item)) : element("p", {}, "Nothing."),
  );
}

function stemReasons(one) {
  const { strip } = one;
  const told = Object.entries(strip.why).map(([name, why]) => [
    `${name.replaceAll("_", " ")}${valueOf(strip[name])}`,
    why,
  ]);
  for (const insert of strip.inserts) told.push([insert.type.replaceAll("_", " "), insert.why]);
  for (const duck of strip.ducks) told.push([`gives way to ${duck.key} by ${number(duck.depth_db)} dB`, duck.why]);
  for (const send of strip.sends) told.push([`send to ${send.to} at ${number(send.level_db, 1, true)} dB`, send.why]);
  return [element("h3", {}, one.stem_id), reasons(told)];
}

function valueOf(value) {
  return typeof value === "number" ? ` ${number(value, 2, true)}` : typeof value === "string" ? ` ${value}` : "";
}

function wholeReasons(mix) {
  const told = [...mix.buses, ...mix.returns].flatMap((part) =>
    Object.entries(part.why ?? {}).map(([name, why]) => [`${part.name}, ${name.replaceAll("_", " ")}`, why]),
  );
  told.push(...mix.groups.map((group) => [`gain sharing ${group.name}`, group.why]));
  told.push(
    ...Object.entries(mix.why).map(([name, why]) => [`mix, ${name.replaceAll("_", " ")}${valueOf(mix[name])}`, why]),
  );
  return reasons(told);
}

function reasons(told) {
  if (!told.length) return element("p", {}, "Nothing was done.");
  return element(
    "dl",
    { class: "steps" },
    told.map(([name, why]) => [element("dt", {}, name), element("dd", {}, `${why.text}${evidence(why)}`)]),
  );
}

function evidence(why) {
  const seen = Object.entries(why.evidence ?? {}).map(
    ([name, value]) => `${name} ${typeof value === "number" ? Number(value.toPrecision(3)) : value}`,
  );
  const sure = why.confidence !== undefined && why.confidence < 1 ? [`${Math.round(100 * why.confidence)} % sure`] : [];
  const all = [...seen, ...sure];
  return all.length ? ` (${all.join(", ")})` : "";
}

function filesCard(mix, versions) {
  const files = mix.files.map((one) => [`${one.kind} ${one.kind === "mix" ? "" : one.name}`, one.path]);
  const masters = versions.map((one) => [
    `${one.version}, ${one.delivery}`,
    `${one.path} (${one.linked ? "in line with the full master" : "mastered on its own"}, ${number(one.integrated_lufs)} LUFS)`,
  ]);
  return foldedCard(
    count(files.length + masters.length, "file"),
    element(
      "dl",
      { class: "steps" },
      [...files, ...masters].map(([name, path]) => [
        element("dt", {}, name),
        element("dd", { class: "hash code" }, path),
      ]),
    ),
  );
}
