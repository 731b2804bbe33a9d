// The state of the view stands in the address, so that it can be mailed and the back button goes back.

/** @typedef {{view: string, q: string, verdict: string, code: string, album: string, signoff: string, range: string, sort: string, cols: string, track: string}} View */

const NEUTRAL = {
  view: "overview",
  q: "",
  verdict: "",
  code: "",
  album: "",
  signoff: "",
  range: "",
  sort: "attention",
  cols: "",
  track: "",
};
const FILTERS = ["q", "verdict", "code", "album", "signoff", "range"];

/** @returns {View} */
function viewOf(hash) {
  const told = new URLSearchParams(hash.replace(/^#/, ""));
  return Object.fromEntries(Object.entries(NEUTRAL).map(([name, usual]) => [name, told.get(name) ?? usual]));
}

function hashOf(view) {
  const told = new URLSearchParams();
  for (const [name, value] of Object.entries(view)) if (value && value !== NEUTRAL[name]) told.set(name, value);
  return `#${told}`;
}

/** A view with some of it changed; a filter that changes leads to the table, for that is where it shows. */
function changed(view, changes) {
  return { ...view, ...changes };
}

/** @returns {{name: string, low: number, high: number} | null} */
function rangeOf(text) {
  const [name, low, high] = text.split(":");
  return Object.hasOwn(FIGURES, name) && isFinite(low) && isFinite(high)
    ? { name, low: Number(low), high: Number(high) }
    : null;
}
