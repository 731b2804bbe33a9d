// A track over time: its waveforms before and after, its loudness, and what the limiter did to it.

/** Waveforms one over the other, short-term loudness and the limiter's work below; a click plays from there. */
function overTime(catalogue, i, row, listening) {
  const playhead = drawn("line", { class: "playhead", x1: 0, x2: 0, y1: 0, y2: TIME_HEIGHT });
  const drawing = chart(
    timeWords(row),
    TIME_WIDTH,
    TIME_HEIGHT,
    waves(row.overview),
    momentMarks(listening.moments, row.duration_s),
    loudnessLines(row.overview),
    reductionShape(row, TIME_WIDTH),
    playhead,
  );
  follow(listening, playhead, row.duration_s);
  seekable(drawing, listening);
  return element(
    "section",
    { class: "card" },
    element("h3", {}, "Over time"),
    legend(""),
    drawing,
    element(
      "p",
      { class: "muted" },
      "Above the waveforms one over the other, below them loudness over 3 s, at the bottom how far the limiter turned peaks down.",
      element("span", { class: "no-print" }, " Click to play from there."),
    ),
  );
}

const TIME_WIDTH = 900,
  TIME_HEIGHT = 330,
  WAVE_MIDDLE = 75,
  WAVE_REACH = 72;

/** Both waveforms, one over the other. */
function waves({ source, master }) {
  const wave = ({ high, low }) => wavePath(heights(high), heights(low), TIME_WIDTH, WAVE_MIDDLE, WAVE_REACH);
  return [
    drawn("line", { class: "axis", x1: 0, x2: TIME_WIDTH, y1: WAVE_MIDDLE, y2: WAVE_MIDDLE }),
    drawn("path", { class: "wave before", d: wave(source) }),
    drawn("path", { class: "wave after", d: wave(master) }),
  ];
}

/** A line through the waveforms for each moment where something was found. */
function momentMarks(moments, durationS) {
  return moments.map(({ at_s, text }) => {
    const x = (at_s / durationS) * TIME_WIDTH;
    const line = { class: "moment", x1: x, x2: x, y1: 0, y2: 2 * WAVE_MIDDLE };
    return drawn("line", line, drawn("title", {}, `${clock(at_s)} ${text}`));
  });
}

/** Loudness over 3 s, before and after, from -45 LUFS up. */
function loudnessLines({ source, master }) {
  const y = (lufs) => 165 + (1 - (Math.max(-45, Math.min(0, lufs)) + 45) / 45) * 95;
  const path = (letters) => {
    const points = loudnessOf(letters);
    return linePath(points, (k) => ((k + 0.5) / points.length) * TIME_WIDTH, y);
  };
  return [
    [-40, -30, -20, -10].map((lufs) => [
      drawn("line", { class: "axis", x1: 0, x2: TIME_WIDTH, y1: y(lufs), y2: y(lufs) }),
      drawn("text", { x: 2, y: y(lufs) - 2 }, `${lufs} LUFS`),
    ]),
    drawn("path", { class: "before", d: path(source.loudness) }),
    drawn("path", { class: "after", d: path(master.loudness) }),
  ];
}

/** Moves the line that shows what is heard; again with each delivery that is opened. */
function follow(listening, playhead, durationS) {
  listening.onopen = (view) =>
    view.onposition?.((seconds) => {
      const x = String((seconds / durationS) * TIME_WIDTH);
      playhead.setAttribute("x1", x);
      playhead.setAttribute("x2", x);
    });
  listening.onopen(listening.view);
}

/** A click plays from there. */
function seekable(drawing, listening) {
  drawing.classList.add("seek");
  drawing.addEventListener("click", (event) => {
    const box = drawing.getBoundingClientRect();
    listening.view.seekFraction((event.clientX - box.left) / box.width);
  });
}

function timeWords(row) {
  const master = row.masters[0];
  return `Waveform and loudness over ${clock(row.duration_s)}: loudest 3 s ${number(row.source.max_short_term_lufs)} LUFS before, ${number(master.max_short_term_lufs)} after; limiter at most ${number(row.limiter_max_reduction_db)} dB`;
}

/** The limiter's reduction hangs from the top of its strip, which its deepest fills; less than 3 dB fill only a part of it. */
function reductionShape(row, width) {
  const points = row.overview.reduction
    ? Array.from(row.overview.reduction, (letter) => LETTERS.indexOf(letter) * REDUCTION_STEP_DB)
    : [];
  const full = Math.max(3, row.limiter_max_reduction_db);
  const deep = (value) => 275 + Math.min(1, value / full) * 50;
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
