// What each column of the table is called, how it is written, and which limit it is held against.

/**
 * @typedef {{label: string, unit?: string, digits?: number, signed?: boolean, help: string, bar?: [number, number], limit?: (catalogue: any, i: number) => number | null, over?: boolean}} Figure
 * @type {Record<string, Figure>}
 */
const FIGURES = {
  lufs: {
    label: "Loudness",
    unit: "LUFS",
    help: "Integrated loudness of the first delivery, BS.1770-5; the mark is the target",
    bar: [-30, -5],
    limit: (c, i) => c.columns.target?.[i],
  },
  lufs_before: { label: "Loudness before", unit: "LUFS", help: "Integrated loudness of the source", bar: [-30, -5] },
  lift: { label: "Lift", unit: "LU", signed: true, help: "Loudness after less loudness before" },
  peak: {
    label: "True peak",
    unit: "dBTP",
    help: "Highest of all deliveries; the mark is the ceiling",
    bar: [-12, 1],
    limit: (c, i) => c.columns.ceiling?.[i],
    over: true,
  },
  peak_before: {
    label: "Peak before",
    unit: "dBTP",
    help: "True peak of the source; the mark is full scale",
    bar: [-12, 6],
    limit: () => 0,
    over: true,
  },
  plr: { label: "PLR", unit: "LU", help: "True peak less integrated loudness of the master", bar: [0, 24] },
  plr_before: { label: "PLR before", unit: "LU", help: "The same of the source", bar: [0, 24] },
  lra: { label: "Range", unit: "LU", help: "Loudness range of the master, EBU Tech 3342", bar: [0, 20] },
  lra_before: { label: "Range before", unit: "LU", help: "The same of the source", bar: [0, 20] },
  gain_db: { label: "Gain", unit: "dB", signed: true, help: "The one gain that was decided" },
  limiter_max_reduction_db: {
    label: "Limiter, worst",
    unit: "dB",
    help: "The deepest that the limiter turned a peak down",
    bar: [0, 12],
  },
  limiter_mean_reduction_db: {
    label: "Limiter, mean",
    unit: "dB",
    digits: 2,
    help: "How far the limiter turned the whole track down in the mean",
    bar: [0, 3],
  },
  slope: {
    label: "Tone",
    unit: "dB/oct",
    digits: 2,
    help: "Slope of the master's spectrum, 100 Hz to 4 kHz; pink noise has -3.01",
  },
  slope_before: { label: "Tone before", unit: "dB/oct", digits: 2, help: "The same of the source" },
  width: { label: "Width", digits: 2, help: "Energy of the side over that of the middle", bar: [0, 1] },
  width_before: { label: "Width before", digits: 2, help: "The same of the source", bar: [0, 1] },
  duration_s: { label: "Length", unit: "s", digits: 0, help: "Of the source" },
};
const TEXTS = {
  title: "Title",
  artist: "Artist",
  album: "Album",
  sequence: "No.",
  verdict: "Verdict",
  signoff: "Sign-off",
  findings: "Findings",
  track_id: "Track",
  isrc: "ISRC",
  genre: "Genre",
  profile: "Profile",
  outcome: "Outcome",
  run_id: "Run",
  rate_hz: "Rate",
  source_bits: "Bits",
};
const USUAL_COLUMNS = [
  "title",
  "album",
  "verdict",
  "signoff",
  "findings",
  "lufs",
  "peak",
  "plr",
  "lift",
  "limiter_max_reduction_db",
  "duration_s",
];

function columnsOf(view) {
  const chosen = view.cols.split(",").filter((name) => Object.hasOwn(FIGURES, name) || Object.hasOwn(TEXTS, name));
  return chosen.length ? chosen : USUAL_COLUMNS;
}

/** What a view is sorted by, and whether it falls; what cannot be sorted by is not. */
function sortOf(view) {
  const name = view.sort.replace(/^-/, "");
  const known = Object.hasOwn(FIGURES, name) || Object.hasOwn(TEXTS, name);
  return { name: known ? name : "attention", falling: view.sort.startsWith("-") };
}

function labelOf(name) {
  const figure = FIGURES[name];
  return figure ? figure.label + (figure.unit ? `, ${figure.unit}` : "") : (TEXTS[name] ?? "Attention");
}

/** The content of a cell. */
function cellOf(catalogue, name, i) {
  if (FIGURES[name]) return figureCell(catalogue, name, i);
  if (name === "title")
    return element(
      "a",
      {
        href: hashOf(changed(viewOf(location.hash), { view: "track", track: catalogue.value("track_id", i) })),
        tabindex: -1,
      },
      catalogue.title(i),
    );
  if (name === "album") return catalogue.albumName(i) ?? "";
  if (name === "verdict") return tag(catalogue.value("verdict", i));
  if (name === "signoff") return tag(catalogue.signoff.stateOf(i).state);
  if (name === "findings")
    return catalogue
      .codesOf(i)
      .map((code) => catalogue.words[code]?.title ?? code)
      .join(", ");
  return String(catalogue.value(name, i) ?? "");
}

function figureOf(catalogue, name, i) {
  return COMPUTED[name] ? COMPUTED[name](catalogue, i) : (catalogue.columns[name]?.[i] ?? null);
}

function figureCell(catalogue, name, i) {
  const { digits = 1, signed = false, bar, limit, over } = FIGURES[name];
  const value = figureOf(catalogue, name, i);
  if (name === "duration_s") return clock(value);
  const text = number(value, digits, signed);
  if (!bar || value === null) return text;
  return [text, barOf(value, bar, limit?.(catalogue, i) ?? null, over)];
}

const TOLERANCE_DB = 0.05; // design.md, ceiling law

/** A small bar beside a number: how far it lies in its usual span, and where its limit is. */
function barOf(value, [low, high], limit, over) {
  const place = (x) => Math.max(0, Math.min(64, ((x - low) / (high - low)) * 64));
  const beyond = over && limit !== null && value > limit + TOLERANCE_DB;
  return drawn(
    "svg",
    { class: "bar", viewBox: "0 0 64 12", "aria-hidden": "true" },
    drawn("rect", { class: "ground", y: 4, width: 64, height: 4 }),
    drawn("rect", { class: beyond ? "over" : "value", y: 2, width: place(value), height: 8 }),
    limit === null ? null : drawn("line", { x1: place(limit), x2: place(limit), y1: 0, y2: 12 }),
  );
}
