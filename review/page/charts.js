// Drawings: waveforms, lines over time, spectra, stairs and histograms, each with its words for who cannot see it.

const LETTERS = Array.from({ length: 91 }, (_, k) => String.fromCharCode(35 + k))
  .filter((letter) => letter !== "\\")
  .join("");
const LEVELS = 32,
  QUIETEST_LUFS = -45,
  STEP_LU = 0.5; // as review/drawings.py writes them
const THIRD_OCTAVES_HZ = [
  20, 25, 31.5, 40, 50, 63, 80, 100, 125, 160, 200, 250, 315, 400, 500, 630, 800, 1000, 1250, 1600, 2000, 2500, 3150,
  4000, 5000, 6300, 8000, 10000, 12500, 16000, 20000,
];

/** @returns {number[]} heights from 0 to 1 */
function heights(letters) {
  return Array.from(letters, (letter) => LETTERS.indexOf(letter) / LEVELS);
}

/** @returns {(number | null)[]} */
function loudnessOf(letters) {
  return Array.from(letters, (letter) => (letter === " " ? null : QUIETEST_LUFS + STEP_LU * LETTERS.indexOf(letter)));
}

function chart(label, width, height, ...children) {
  return drawn(
    "svg",
    { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label },
    children,
  );
}

/** A waveform as one closed shape around the middle. */
function wavePath(high, low, width, middle, reach) {
  if (!high.length) return "";
  const x = (k, many) => ((k / many) * width).toFixed(1);
  const top = high.map((value, k) => `${x(k, high.length)},${(middle - value * reach).toFixed(1)}`);
  const bottom = low.map((value, k) => `${x(k, low.length)},${(middle + value * reach).toFixed(1)}`).reverse();
  return `M${top.join("L")}L${bottom.join("L")}Z`;
}

/** A line through the points that have a value, broken where there is none. */
function linePath(points, x, y) {
  let pen = "M";
  return points
    .map((value, k) => {
      if (value === null || value === undefined || !isFinite(value)) {
        pen = "M";
        return "";
      }
      const step = `${pen}${x(k).toFixed(1)},${y(value).toFixed(1)}`;
      pen = "L";
      return step;
    })
    .join("");
}

/** Marks and words along the left side. */
function scale(ticks, y, width, unit, left = 34) {
  return ticks.map((tick) => [
    drawn("line", { class: "axis", x1: left, x2: width, y1: y(tick), y2: y(tick) }),
    drawn(
      "text",
      { x: left - 4, y: y(tick) + 4, "text-anchor": "end" },
      tick === ticks[ticks.length - 1] ? `${tick} ${unit}` : String(tick),
    ),
  ]);
}

/** A staircase: a step for each thing, before and after. */
function staircase(label, steps, target, unit) {
  const width = 900,
    height = 210,
    left = 74,
    bottom = 24;
  const values = steps
    .flatMap((step) => [step.before, step.after, target])
    .filter((value) => value !== null && value !== undefined);
  if (!values.length) return element("p", { class: "muted" }, `${label}: nothing was measured.`);
  const [low, high] = spanOf(values);
  const y = (value) => 10 + (1 - (value - low) / (high - low)) * (height - bottom - 20);
  const each = (width - left) / steps.length;
  const stairs = (side) =>
    steps
      .map((step, k) =>
        step[side] == null ? "" : `M${left + k * each},${y(step[side]).toFixed(1)}h${each.toFixed(1)}`,
      )
      .join("");
  const words = steps.map((step) => `${step.name} from ${number(step.before)} to ${number(step.after)}`).join(", ");
  return chart(
    `${label}, ${unit}: ${words}`,
    width,
    height,
    scale(ticksOf(low, high), y, width, unit, left - 6),
    target == null ? null : drawn("line", { class: "target", x1: left, x2: width, y1: y(target), y2: y(target) }),
    drawn("path", { class: "before", d: stairs("before") }),
    drawn("path", { class: "after", d: stairs("after") }),
    steps.map((step, k) =>
      drawn(
        "text",
        { x: left + (k + 0.5) * each, y: height - 8, "text-anchor": "middle" },
        each > 24 || k % Math.ceil(24 / each) === 0 ? step.mark : "",
      ),
    ),
  );
}

function spanOf(values) {
  const low = values.reduce((a, b) => Math.min(a, b)),
    high = values.reduce((a, b) => Math.max(a, b));
  const room = Math.max(0.5, (high - low) * 0.08);
  return [low - room, high + room];
}

function ticksOf(low, high) {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * power).find((one) => one >= rough);
  const ticks = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) ticks.push(Number(tick.toFixed(3)));
  return ticks;
}

/** Third octaves before, after and as usual, each moved to the same mean, for loudness is another matter. */
function spectrumChart(before, after, usual) {
  const width = 620,
    height = 230,
    left = 44;
  const lines = { before: levelled(before), after: levelled(after), target: levelled(usual) };
  const values = [...lines.before, ...lines.after].filter((value) => value !== null);
  if (!values.length) return element("p", { class: "muted" }, "No spectrum was measured.");
  const [low, high] = [
    Math.max(-48, Math.floor(values.reduce((a, b) => Math.min(a, b)) / 6) * 6),
    Math.floor(values.reduce((a, b) => Math.max(a, b)) / 6) * 6 + 6,
  ];
  const x = (k) => left + (k / 30) * (width - left - 10),
    y = (value) => 10 + (1 - (Math.max(low, value) - low) / (high - low)) * (height - 40);
  const most = largestChange(lines);
  return chart(
    `Spectrum in third octaves, before and after at equal loudness; most changed: ${most}`,
    width,
    height,
    scale(ticksOf(low, high), y, width, "dB"),
    [63, 250, 1000, 4000, 16000].map((hz) =>
      drawn(
        "text",
        { x: x(THIRD_OCTAVES_HZ.indexOf(hz)), y: height - 8, "text-anchor": "middle" },
        hz < 1000 ? `${hz} Hz` : `${hz / 1000} kHz`,
      ),
    ),
    ["target", "before", "after"].map((side) => drawn("path", { class: side, d: linePath(lines[side], x, y) })),
  );
}

function levelled(levels) {
  const heard = levels.slice(7, 24).filter((level) => level !== null && level !== undefined); // 100 Hz to 4 kHz
  const mean = heard.reduce((sum, level) => sum + level, 0) / (heard.length || 1);
  return levels.map((level) => (level === null || level === undefined ? null : level - mean));
}

function largestChange({ before, after }) {
  const changes = before.map((level, k) => (level === null || after[k] == null ? 0 : after[k] - level));
  const k = changes.reduce((best, change, at) => (Math.abs(change) > Math.abs(changes[best]) ? at : best), 0);
  return `${number(changes[k] ?? 0, 1, true)} dB at ${THIRD_OCTAVES_HZ[k]} Hz`;
}

/** How many tracks lie where; each bar filters the table. */
function histogram(name, values, chosen, onchoose) {
  const { label, unit = "" } = FIGURES[name];
  const known = values.filter((value) => value !== null && value !== undefined);
  if (known.length < 1) return null;
  const bins = binned(known);
  const [first, last] = [bins[0], bins[bins.length - 1]];
  const box = { class: "chart", viewBox: `0 0 ${BAR_WIDTH} ${BAR_HEIGHT}`, role: "group" };
  const right = { x: BAR_WIDTH - BAR_LEFT, y: BAR_HEIGHT - 4, "text-anchor": "end" };
  return element(
    "figure",
    { class: "card" },
    element("figcaption", {}, element("h3", {}, labelOf(name)), element("p", { class: "muted" }, spread(known, unit))),
    drawn(
      "svg",
      { ...box, "aria-label": `${label}: how many tracks lie where` },
      bars(name, bins, chosen, onchoose),
      drawn("text", { x: BAR_LEFT, y: BAR_HEIGHT - 4 }, number(first.low, first.digits)),
      drawn("text", right, `${number(last.high, first.digits)} ${unit}`),
    ),
  );
}

const BAR_WIDTH = 420,
  BAR_HEIGHT = 150,
  BAR_LEFT = 8;

/** A bar for each span that has tracks, each a button. */
function bars(name, bins, chosen, onchoose) {
  const most = bins.reduce((m, bin) => Math.max(m, bin.many), 0);
  const each = (BAR_WIDTH - 2 * BAR_LEFT) / bins.length;
  return bins.map((bin, k) => {
    if (!bin.many) return null;
    const tall = Math.max(2, (bin.many / most) * (BAR_HEIGHT - 34));
    const place = { x: BAR_LEFT + k * each + 1, y: BAR_HEIGHT - 20 - tall, width: Math.max(1, each - 2), height: tall };
    return barButton(name, bin, `bin-${name}-${k}`, place, chosen, onchoose);
  });
}

function barButton(name, bin, id, place, chosen, onchoose) {
  const unit = FIGURES[name].unit ?? "";
  const words = `${count(bin.many, "track")} from ${number(bin.low, bin.digits)} to ${number(bin.high, bin.digits)} ${unit}`;
  const pressed = chosen !== null && chosen.low <= bin.low + 1e-9 && chosen.high >= bin.high - 1e-9;
  const act = () => onchoose(pressed ? "" : `${name}:${bin.low}:${bin.high}`, id);
  const onkeydown = (event) => {
    if (!["Enter", " "].includes(event.key)) return;
    event.preventDefault();
    act();
  };
  const state = { role: "button", tabindex: 0, "aria-label": words, "aria-pressed": String(pressed) };
  return drawn("rect", { class: "bin", id, ...place, ...state, onclick: act, onkeydown }, drawn("title", {}, words));
}

const BINS = 24;

function binned(values) {
  const low = values.reduce((a, b) => Math.min(a, b)),
    high = values.reduce((a, b) => Math.max(a, b));
  const rough = Math.max((high - low) / BINS, 1e-6),
    power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(
    0.01,
    [1, 2, 5, 10].map((k) => k * power).find((one) => one >= rough),
  );
  const first = Math.floor(low / step + 1e-9),
    many = new Array(Math.floor(high / step + 1e-9) - first + 1).fill(0);
  for (const value of values) many[Math.floor(value / step + 1e-9) - first]++;
  const digits = step >= 1 ? 0 : step >= 0.1 ? 1 : 2;
  return many.map((m, k) => ({
    low: Number(((first + k) * step).toFixed(4)),
    high: Number(((first + k + 1) * step).toFixed(4)),
    many: m,
    digits,
  }));
}

function spread(values, unit) {
  const sorted = Float64Array.from(values).sort();
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return `half of all lie from ${number(at(0.25))} to ${number(at(0.75))} ${unit}, the middle one at ${number(at(0.5))}`;
}
