// Elements made by hand: data becomes text, never markup, so that a title may hold any.

/**
 * An element with attributes and children; `onclick` and the like are listeners, null and false are left out.
 * @param {string} name @param {Record<string, any>} [attributes] @param {...any} children
 */
function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** The same for drawings. */
function drawn(name, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "checked" || name === "value" || name === "indeterminate") node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** A word in a box that says what state something is in: by its sign and its word, and by its colour too. */
function tag(kind, word = WORDS[kind] ?? kind) {
  return element("span", { class: `tag ${kind}`, "data-sign": SIGNS[kind] ?? "•" }, word);
}

const WORDS = {
  approved_once: "approved by one",
  needs_work: "needs work",
  void: "decided about older masters",
  fail: "fails",
  warn: "listen",
  info: "to know",
};
const SIGNS = {
  ready: "✓",
  listen: "◐",
  rejected: "✕",
  approved: "✓",
  approved_once: "½",
  needs_work: "↺",
  void: "∅",
  open: "○",
  fail: "✕",
  warn: "◐",
  info: "i",
  passed: "✓",
};

/** A table of few rows: which columns hold numbers stands in the second list, by their headings. */
function tableOf(caption, headings, numbers, rows) {
  const heading = (name) => element("th", { scope: "col", class: numbers.includes(name) ? "number" : null }, name);
  return element(
    "table",
    {},
    element("caption", { class: "visually-hidden" }, caption),
    element("thead", {}, element("tr", {}, headings.map(heading))),
    element("tbody", {}, rows),
  );
}

/** A table that may be wider than its place: it scrolls there, with the keys too, and the page does not. */
function wide(label, table) {
  return element("div", { class: "wide", tabindex: 0, role: "region", "aria-label": label }, table);
}

/** Says something to who listens instead of looks, and to who looks as well. */
function announce(text) {
  document.getElementById("state").textContent = text;
}

/** A number with its digits after the point, a dash where there is none. */
function number(value, digits = 1, sign = false) {
  if (value === null || value === undefined) return "–";
  const text = Math.abs(value).toFixed(digits);
  const minus = value < 0 && Number(text) !== 0;
  return (minus ? "−" : sign && Number(text) !== 0 ? "+" : "") + text;
}

/** Minutes and seconds. */
function clock(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const whole = Math.round(seconds);
  const hours = Math.floor(whole / 3600);
  const rest = `${String(Math.floor((whole % 3600) / 60)).padStart(hours ? 2 : 1, "0")}:${String(whole % 60).padStart(2, "0")}`;
  return hours ? `${hours}:${rest}` : rest;
}

function count(many, one, more = `${one}s`) {
  return `${many.toLocaleString("en")} ${many === 1 ? one : more}`;
}
