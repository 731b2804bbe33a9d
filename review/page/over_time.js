// A track over time: its waveforms before and after, its loudness, and what the limiter did to it.

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
      "Above the waveforms one over the other, below them loudness over 3 s, at the bottom how far the limiter turned peaks down.",
      element("span", { class: "no-print" }, " Click to play from there."),
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
