// The table of all tracks: sorted, searched and filtered over the whole catalogue; only the rows in sight are elements.

const ROW_HEIGHT = 34; // as --row in the sheet
const SPARE = 12; // rows kept above and below what is in sight
const PRINTED = 2000; // rows on paper: some 60 pages

/** Numbers of the tracks that a view keeps, in its order. */
function selectedTracks(catalogue, view) {
  const keeps = filtersOf(catalogue, view);
  const found = [];
  for (let i = 0; i < catalogue.size; i++) if (keeps.every((keep) => keep(i))) found.push(i);
  const { name, falling } = sortOf(view);
  const keys = catalogue.sortKeys(name);
  const order = Uint32Array.from(found);
  // Who has no value comes last, whichever way.
  return order.sort((a, b) => compared(keys[a], keys[b], falling) || a - b);
}

function compared(a, b, falling) {
  if (a === b) return 0;
  if (a === Infinity || b === Infinity) return a === Infinity ? 1 : -1;
  return falling ? b - a : a - b;
}

function filtersOf(catalogue, view) {
  const keeps = [];
  if (view.q) keeps.push(searchFilter(catalogue, view.q));
  if (view.verdict) keeps.push((i) => catalogue.columns.verdict[i] === VERDICTS.indexOf(view.verdict));
  if (view.code) {
    const code = catalogue.codes.indexOf(view.code);
    keeps.push((i) => catalogue.columns.codes[i]?.includes(code) ?? false);
  }
  if (view.album) {
    const album = catalogue.names.album_id.indexOf(view.album);
    keeps.push((i) => catalogue.columns.album_id[i] === album);
  }
  if (view.signoff) keeps.push((i) => catalogue.signoff.stateOf(i).state === view.signoff);
  const range = rangeOf(view.range);
  if (range) keeps.push((i) => within(figureOf(catalogue, range.name, i), range));
  return keeps;
}

function within(value, { low, high }) {
  return value !== null && value >= low && value < high;
}

/** Every word must be found somewhere in what names a track. */
function searchFilter(catalogue, text) {
  const words = readable(text).split(/\s+/).filter(Boolean);
  catalogue.searched ??= Array.from({ length: catalogue.size }, (_, i) =>
    readable(
      ["track_id", "title", "artist", "isrc"].map((name) => catalogue.value(name, i) ?? "").join(" ") +
        ` ${catalogue.albumName(i) ?? ""}`,
    ),
  );
  return (i) => words.every((word) => catalogue.searched[i].includes(word));
}

/** The table as an element that renews its rows when it is scrolled. */
class Table {
  /** @param {{catalogue: any, go: (changes: object) => void}} page */
  constructor(page, view) {
    this.page = page;
    this.view = view;
    this.columns = columnsOf(view);
    this.order = selectedTracks(page.catalogue, view);
    this.at = Math.max(0, this.order.indexOf(page.lastTrack ?? -1));
    this.body = element("tbody");
    this.scroll = element(
      "div",
      {
        class: "scroll",
        tabindex: 0,
        role: "region",
        "aria-label": "Tracks: arrow keys choose, Enter opens",
        onkeydown: (event) => this.key(event),
      },
      this.table(),
    );
    this.scroll.addEventListener("scroll", () => this.renew(), { passive: true });
    this.scroll.addEventListener("click", (event) => this.clicked(event));
    new ResizeObserver(() => this.renew()).observe(this.scroll);
    this.renew();
  }

  table() {
    const head = element(
      "tr",
      {},
      this.columns.map((name) => this.heading(name)),
    );
    return element(
      "table",
      { class: "catalogue", "aria-rowcount": this.order.length + 1 },
      element(
        "caption",
        { class: "visually-hidden" },
        `${count(this.order.length, "track")}, sorted by ${labelOf(sortOf(this.view).name)}`,
      ),
      element("thead", {}, head),
      this.body,
    );
  }

  heading(name) {
    const { name: by, falling } = sortOf(this.view);
    const sorted = by === name;
    const state = sorted ? (falling ? "descending" : "ascending") : null;
    const next = sorted && !falling ? `-${name}` : name;
    const sign = sorted ? (falling ? " ▼" : " ▲") : "";
    return element(
      "th",
      { scope: "col", class: FIGURES[name] ? "number" : null, "aria-sort": state, title: FIGURES[name]?.help },
      element(
        "button",
        { type: "button", id: `sort-${name}`, onclick: () => this.page.go({ sort: next }, { keep: `sort-${name}` }) },
        labelOf(name),
        element("span", { "aria-hidden": "true" }, sign),
      ),
    );
  }

  /** Makes the rows in sight, and as much room as those take that are not. */
  renew() {
    const [first, last] = this.printing ? [0, Math.min(this.order.length, PRINTED)] : this.inSight();
    if (this.first === first && this.last === last && this.shownAt === this.at) return;
    Object.assign(this, { first, last, shownAt: this.at });
    const rows = [];
    for (let place = first; place < last; place++) rows.push(this.row(place));
    this.body.replaceChildren(this.room(first), ...rows, this.room(this.order.length - last));
  }

  inSight() {
    const height = this.scroll.clientHeight || 600;
    return [
      Math.max(0, Math.floor(this.scroll.scrollTop / ROW_HEIGHT) - SPARE),
      Math.min(this.order.length, Math.ceil((this.scroll.scrollTop + height) / ROW_HEIGHT) + SPARE),
    ];
  }

  /** Paper does not scroll: it has every row, up to a sensible number. */
  print(printing) {
    this.printing = printing;
    this.renew();
  }

  room(rows) {
    const left = this.printing && rows ? `and ${count(rows, "more track")}: a filter keeps fewer` : "";
    const cell = element("td", { class: "spacer", colspan: this.columns.length }, left);
    cell.style.height = this.printing ? "auto" : `${rows * ROW_HEIGHT}px`;
    return element("tr", { "aria-hidden": "true", role: "presentation" }, cell);
  }

  row(place) {
    const i = this.order[place];
    const cells = this.columns.map((name, k) =>
      element(
        k ? "td" : "th",
        { scope: k ? null : "row", class: FIGURES[name] ? "number" : null },
        cellOf(this.page.catalogue, name, i),
      ),
    );
    return element(
      "tr",
      { "aria-rowindex": place + 2, "aria-selected": place === this.at ? "true" : "false", "data-place": place },
      cells,
    );
  }

  key(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1, PageDown: 15, PageUp: -15, Home: -Infinity, End: Infinity };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" && event.target.closest("button, a")) return; // theirs
    if (Object.hasOwn(steps, event.key)) this.choose(this.at + steps[event.key]);
    else if (event.key === "Enter" && this.order.length) this.open(this.at);
    else return;
    event.preventDefault();
  }

  choose(place) {
    this.reveal(place);
    if (this.chosen() !== null)
      announce(`${this.page.catalogue.title(this.chosen())}, ${this.page.catalogue.value("verdict", this.chosen())}`);
  }

  reveal(place) {
    this.at = Math.max(0, Math.min(this.order.length - 1, place));
    const top = this.at * ROW_HEIGHT;
    const seen = this.scroll.clientHeight - 2 * ROW_HEIGHT;
    if (top < this.scroll.scrollTop) this.scroll.scrollTop = top;
    if (top > this.scroll.scrollTop + seen) this.scroll.scrollTop = top - seen;
    this.renew();
    this.page.lastTrack = this.chosen();
  }

  /** The track that the keys mean. */
  chosen() {
    return this.order[this.at] ?? null;
  }

  clicked(event) {
    const row = event.target.closest("tr[data-place]");
    if (!row || event.target.closest("a")) return;
    this.at = Number(row.dataset.place);
    this.page.lastTrack = this.chosen();
    this.renew();
  }

  open(place) {
    this.page.go({ view: "track", track: this.page.catalogue.value("track_id", this.order[place]) });
  }
}

/** Search, filters and the choice of columns above the table. */
function tableView(page, view) {
  const table = new Table(page, view);
  page.table = table;
  const total = page.catalogue.size;
  const told =
    table.order.length === total
      ? `All ${count(total, "track")}`
      : `${table.order.length.toLocaleString("en")} of ${count(total, "track")}`;
  announce(told);
  requestAnimationFrame(() => table.reveal(table.at));
  return [element("h2", {}, told), filterBar(page, view), chips(page, view), bulkBar(page, table), table.scroll];
}

function filterBar(page, view) {
  const { catalogue, go } = page;
  const search = element("input", {
    type: "search",
    id: "search",
    value: view.q,
    placeholder: "Title, artist, album, ISRC",
    "aria-label": "Search",
  });
  search.addEventListener("input", () => later(() => go({ q: search.value }, { replace: true, keep: "search" })));
  return element(
    "div",
    { class: "filters", role: "search" },
    search,
    choice(
      "Verdict",
      view.verdict,
      VERDICTS.map((one) => [one, one]),
      (verdict) => go({ verdict }, { keep: "filter-verdict" }),
    ),
    choice(
      "Finding",
      view.code,
      [...catalogue.codes].sort().map((code) => [code, catalogue.words[code]?.title ?? code]),
      (code) => go({ code }, { keep: "filter-finding" }),
    ),
    choice("Album", view.album, catalogue.albumChoices(), (album) => go({ album }, { keep: "filter-album" })),
    choice(
      "Sign-off",
      view.signoff,
      STATES.map((one) => [one, WORDS[one] ?? one]),
      (signoff) => go({ signoff }, { keep: "filter-sign-off" }),
    ),
    element(
      "button",
      { type: "button", onclick: () => go({ sort: "attention" }), "aria-pressed": view.sort === "attention" },
      "Worst first",
    ),
    columnChooser(page, view),
  );
}

let waiting = 0;
/** Does something once the fingers rest. */
function later(act) {
  clearTimeout(waiting);
  waiting = setTimeout(act, 120);
}

function choice(label, value, options, onchoose) {
  const select = element(
    "select",
    { id: `filter-${label.toLowerCase()}`, "aria-label": label, onchange: () => onchoose(select.value) },
    element("option", { value: "" }, `${label}: any`),
    options.map(([name, text]) => element("option", { value: name }, text)),
  );
  select.value = value;
  return select;
}

function columnChooser(page, view) {
  const shown = columnsOf(view);
  const toggled = (name) => (shown.includes(name) ? shown.filter((one) => one !== name) : [...shown, name]);
  const box = (name) =>
    element(
      "label",
      {},
      element("input", {
        type: "checkbox",
        id: `column-${name}`,
        checked: shown.includes(name),
        onchange: () => page.go({ cols: toggled(name).join(",") }, { keep: `column-${name}` }),
      }),
      labelOf(name),
    );
  return element(
    "details",
    { class: "no-print", id: "columns" },
    element("summary", {}, "Columns"),
    element(
      "div",
      { class: "columns" },
      [...Object.keys(TEXTS), ...Object.keys(FIGURES)].map((name) => element("div", {}, box(name))),
    ),
  );
}

/** The filters in force, each with a button that takes it away. */
function chips(page, view) {
  const texts = {
    q: `“${view.q}”`,
    code: page.catalogue.words[view.code]?.title ?? view.code,
    album: page.catalogue.albums[view.album]?.album ?? view.album,
    range: rangeText(view.range),
  };
  const active = FILTERS.filter((name) => view[name]);
  if (!active.length) return null;
  return element(
    "div",
    { class: "chips", role: "group", "aria-label": "Filters in force" },
    active.map((name) =>
      element(
        "button",
        { type: "button", onclick: () => page.go({ [name]: "" }) },
        `${texts[name] ?? WORDS[view[name]] ?? view[name]} ✕`,
      ),
    ),
    active.length > 1
      ? element(
          "button",
          { type: "button", onclick: () => page.go(Object.fromEntries(FILTERS.map((name) => [name, ""]))) },
          "All filters off",
        )
      : null,
  );
}

function rangeText(text) {
  const range = rangeOf(text);
  return range
    ? `${FIGURES[range.name].label} ${number(range.low, 1)} to ${number(range.high, 1)} ${FIGURES[range.name].unit ?? ""}`
    : text;
}
