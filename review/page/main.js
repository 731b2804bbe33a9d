// The page: which view stands in the address, and what the keys do.

const VIEWS = [
  ["overview", "Overview"],
  ["tracks", "Tracks"],
  ["albums", "Albums"],
  ["mixes", "Mixes"],
  ["distributions", "Distributions"],
  ["changes", "Changes"],
  ["signoff", "Sign-off"],
];
const MAKERS = {
  overview: overviewView,
  tracks: tableView,
  albums: albumsView,
  distributions: distributionsView,
  changes: changesView,
  signoff: signoffView,
  track: trackView,
  mixes: mixesView,
  mix: mixView,
};
const KEYS = [
  ["/", "search"],
  ["↑ ↓ or j k", "choose a row"],
  ["Enter", "open it"],
  ["Esc", "back to the table"],
  ["a", "approve"],
  ["n", "needs work"],
  ["r", "reject"],
  ["u", "undo"],
  ["Space", "play or pause"],
  ["x", "before or after"],
  ["[ ]", "the track before or after this one in the table"],
  ["?", "these keys"],
];
const SERVED = location.protocol.startsWith("http");

class Page {
  constructor(catalogue) {
    this.catalogue = catalogue;
    this.main = document.getElementById("main");
    this.audio = new Map();
    this.lastTrack = null;
    this.decisionBar = (tracks, options) => decisionBar(this, tracks, options);
    this.go = (changes, options) => this.gone(changes, options);
    window.addEventListener("hashchange", () => this.show());
    document.addEventListener("keydown", (event) => this.key(event));
    for (const [name, printing] of [
      ["beforeprint", true],
      ["afterprint", false],
    ])
      window.addEventListener(name, () => this.table?.print(printing));
  }

  get view() {
    return viewOf(location.hash);
  }

  /** Another view, told in the address; `replace` leaves no trace in the history, `keep` names the field that keeps the focus. */
  gone(changes, { replace = false, keep = null } = {}) {
    const hash = hashOf(changed(this.view, changes));
    this.keep = keep;
    if (hash === (location.hash || "#")) return this.show();
    if (!replace) {
      location.hash = hash;
      return undefined;
    }
    history.replaceState(null, "", hash);
    return this.show();
  }

  async show() {
    const view = this.view;
    this.tellRun();
    this.listening?.destroy?.();
    this.listening = null;
    this.markViews({ track: "tracks", mix: "mixes" }[view.view] ?? view.view);
    const focused = this.keep;
    this.keep = null;
    const asked = (this.asked = Symbol("view"));
    let content;
    try {
      content = await (Object.hasOwn(MAKERS, view.view) ? MAKERS[view.view] : overviewView)(this, view);
    } catch (error) {
      content = [element("h2", {}, "This cannot be shown"), element("p", { class: "notice" }, error.message)];
    }
    if (asked !== this.asked) return;
    this.main.replaceChildren(...[content].flat(Infinity).filter(Boolean));
    this.restoreFocus(focused, view);
    document.title = `${this.main.querySelector("h2")?.textContent ?? "Report"} – Lathe`;
  }

  /** Which run this is; and where a newer one has ended since, that what is seen here is its predecessor's. */
  tellRun() {
    const { run, size, albums, signoff } = this.catalogue;
    const told = `Run ${run.run_id}, ${count(size, "track")} in ${count(Object.keys(albums).length, "album")}`;
    const newer = signoff.newerRun
      ? [
          ` Run ${signoff.newerRun} has ended since. `,
          element("button", { type: "button", onclick: () => location.reload() }, "Load it"),
        ]
      : [];
    document.getElementById("told").replaceChildren(told, ...newer);
  }

  /** Somebody comes back to the page: others may have decided, and a run may have ended. */
  async lookedAgain() {
    await this.catalogue.signoff.renewed?.().catch(() => undefined);
    this.tellRun();
  }

  restoreFocus(focused, view) {
    const field = focused && document.getElementById(focused);
    if (field) {
      field.closest("details")?.setAttribute("open", "");
      field.focus({ preventScroll: true });
      if (field.type === "search") field.setSelectionRange(field.value.length, field.value.length);
    } else if (view.view === "tracks") this.table.scroll.focus({ preventScroll: true });
    else this.main.focus({ preventScroll: true });
    if (!focused) window.scrollTo(0, 0);
  }

  markViews(current) {
    document
      .getElementById("views")
      .replaceChildren(
        ...VIEWS.filter(([name]) => name !== "mixes" || Object.keys(this.catalogue.mixes).length).map(([name, label]) =>
          element(
            "li",
            {},
            element(
              "a",
              { href: hashOf({ ...NEUTRAL, view: name }), "aria-current": name === current ? "page" : null },
              label,
            ),
          ),
        ),
      );
  }

  /** Addresses of a track's files: by the server by name, on a disk as they lie. */
  audioUrl(i, side) {
    const id = this.catalogue.value("track_id", i);
    return SERVED ? `audio?${new URLSearchParams({ track: id, side })}` : this.audio.get(`${i} ${side}`);
  }

  audioOf(i, row) {
    this.audio.set(`${i} source`, row.source_path);
    for (const master of row.masters)
      this.audio.set(`${i} ${master.delivery}`, `../${master.path.split("/").map(encodeURIComponent).join("/")}`);
  }

  async decide(tracks, asked) {
    const { signoff } = this.catalogue;
    if (!signoff.reviewer) {
      announce("First say who you are.");
      return this.gone({ view: "signoff" });
    }
    const told = DONE[asked.word];
    return this.tried(async () => {
      await signoff.decide(tracks, asked);
      return tracks.length === 1
        ? `${this.catalogue.title(tracks[0])} ${told}`
        : `${count(tracks.length, "track")} ${told}`;
    });
  }

  undo() {
    return this.tried(async () => `${count(await this.catalogue.signoff.undo(), "decision")} taken back`);
  }

  release() {
    return this.tried(async () => {
      const told = await this.catalogue.signoff.release();
      return told.text ?? "released";
    });
  }

  /** Does something, says how it went, and shows how things stand now. */
  async tried(act) {
    try {
      const told = await act();
      const top = window.scrollY;
      await this.show();
      window.scrollTo(0, top);
      announce(told);
      toast(told);
    } catch (error) {
      announce(error.message);
      toast(error.message, true);
    }
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog"))
      return;
    const view = this.view;
    if (view.view === "track" && this.listening?.key?.(event)) return event.preventDefault();
    const act = this.actOf(event.key, view);
    if (!act || (event.target.closest("button, a, summary") && event.key === "Enter")) return undefined;
    event.preventDefault();
    return act();
  }

  actOf(key, view) {
    const decides = { a: "approve", n: "needs_work", r: "reject" }[key];
    if (decides) return this.decisionByKey(decides, view);
    if (key === "u" && this.catalogue.signoff.canDecide) return () => this.undo();
    if (key === "?") return () => document.getElementById("help").showModal();
    if (key === "/") return () => this.gone({ view: "tracks" }, { keep: "search" });
    if (key === "Escape" && view.view === "track") return () => this.gone({ view: "tracks", track: "" });
    if ((key === "[" || key === "]") && view.view === "track") return () => this.neighbour(key === "]" ? 1 : -1, view);
    return null;
  }

  decisionByKey(word, view) {
    if (!this.catalogue.signoff.canDecide) return null;
    const i =
      view.view === "track" ? this.catalogue.place(view.track) : view.view === "tracks" ? this.table.chosen() : null;
    return i !== null && this.catalogue.hasMasters(i) ? () => this.decide([i], { word }) : null;
  }

  /** The tracks of the table in their order: as it was last shown, or as the address of a mailed track has it. */
  order() {
    this.ordered ??= selectedTracks(this.catalogue, this.view);
    return this.table?.order ?? this.ordered;
  }

  neighbour(by, view) {
    const order = this.order();
    const at = order.indexOf(this.catalogue.place(view.track));
    const next = order[at + by];
    if (at >= 0 && next !== undefined) this.gone({ track: this.catalogue.value("track_id", next) });
  }
}

function toast(text, bad = false) {
  document.querySelector(".toast")?.remove();
  const box = element("p", { class: bad ? "toast notice bad" : "toast notice", "aria-hidden": "true" }, text);
  document.body.append(box);
  setTimeout(() => box.remove(), bad ? 9000 : 4000);
}

function themed() {
  const button = document.getElementById("theme");
  const set = (dark) => {
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    button.setAttribute("aria-pressed", String(dark));
  };
  const known = stored("lathe-theme");
  set(known ? known === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  button.addEventListener("click", () => {
    const dark = document.documentElement.dataset.theme !== "dark";
    set(dark);
    try {
      localStorage.setItem("lathe-theme", dark ? "dark" : "light");
    } catch {
      // Holds until the page is closed.
    }
  });
}

function helped() {
  const dialog = document.getElementById("help");
  dialog.append(
    element("h2", { id: "help-title" }, "Keys"),
    element(
      "dl",
      { class: "steps" },
      KEYS.map(([key, what]) => [element("dt", {}, element("kbd", {}, key)), element("dd", {}, what)]),
    ),
    element("form", { method: "dialog" }, element("button", {}, "Close")),
  );
  document.getElementById("help-open").addEventListener("click", () => dialog.showModal());
}

async function begin() {
  themed();
  helped();
  const catalogue = new Catalogue(JSON.parse(document.getElementById("catalogue").textContent));
  catalogue.signoff = SERVED ? await KeptByServer.opened(catalogue) : new KeptHere(catalogue);
  const page = new Page(catalogue);
  await page.show();
  window.addEventListener("focus", () => page.lookedAgain());
  document.documentElement.dataset.ready = "true";
}

begin().catch((error) => {
  document
    .getElementById("main")
    .replaceChildren(
      element("h2", {}, "This report cannot be shown"),
      element("p", { class: "notice" }, error.message),
    );
});
