// What reviewers decided: kept by the server that this page came from, or in this browser until it is exported.

const SIGNOFF_FORM = 1;
const DONE = { approve: "approved", reject: "rejected", needs_work: "sent back" };

const STATE_OF = { approve: "approved", reject: "rejected", needs_work: "needs_work" };
const MOST_BYTES = 500_000; // In one request: half of what the server takes, so that its own count need not be met.

/** The state of one track's masters, from the decisions about it that are in force; as `review/state.py` has it for one person. */
function stateFrom(decisions, key) {
  const about = decisions.filter((one) => one.masters_key === key);
  if (!about.length) return decisions.length ? "void" : "open";
  return STATE_OF[about[about.length - 1].word];
}

/** Decisions without those that were taken back, in the order in which they were taken; an undo names an earlier number. */
function inForce(decisions) {
  const undone = new Set();
  for (const one of [...decisions].sort((a, b) => b.number - a.number))
    if (one.word === "undo" && !undone.has(one.number) && one.undoes < one.number) undone.add(one.undoes);
  const order = (a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.number - b.number);
  return decisions.filter((one) => one.word !== "undo" && !undone.has(one.number)).sort(order);
}

/** Records in portions that a request can hold. */
function portions(records) {
  const found = [];
  let bytes = Infinity;
  for (const one of records) {
    const more = new TextEncoder().encode(JSON.stringify(one)).length + 1;
    if (bytes + more > MOST_BYTES) {
      found.push([]);
      bytes = 0;
    }
    found[found.length - 1].push(one);
    bytes += more;
  }
  return found;
}

/** Common to both ways of keeping decisions. */
class SignOff {
  constructor(catalogue) {
    this.catalogue = catalogue;
    this.decisions = [];
  }

  historyOf(i) {
    const id = this.catalogue.columns.track_id[i];
    return this.decisions.filter((one) => one.track_id === id);
  }

  /** The revision that is in force for a track or album, to begin the next one with. */
  revisionOf(scope, subject) {
    const found = inForce(this.decisions).filter(
      (one) =>
        one.revision &&
        this.asks(one) &&
        (one.scope ?? "track") === scope &&
        (scope === "album" ? one.album_id : one.track_id) === subject,
    );
    return found.length ? found[found.length - 1].revision : null;
  }

  /** What stands in the form in front of the reviewer: a key decides as its buttons do. */
  writtenFor(i) {
    return this.form?.track === i && this.form.node.isConnected ? this.form.asked() : {};
  }

  record(i, asked) {
    const { catalogue } = this;
    const { word, reason = "", note = "", scope = "track", revision = null } = { ...this.writtenFor(i), ...asked };
    return {
      track_id: catalogue.value("track_id", i),
      album_id: catalogue.value("album_id", i),
      masters_key: catalogue.columns.key[i],
      word,
      ...(reason ? { reason } : {}),
      ...(note ? { note } : {}),
      scope,
      ...(revision ? { revision } : {}),
    };
  }
}

/** Without a server: this browser keeps what was decided, and gives it away as a file. */
class KeptHere extends SignOff {
  constructor(catalogue) {
    super(catalogue);
    this.name = `lathe-signoff ${location.pathname}`;
    this.reviewer = stored("lathe-reviewer") ?? "";
    this.canDecide = true;
    this.canRelease = false;
    try {
      this.decisions = JSON.parse(stored(this.name) ?? "[]");
    } catch {
      this.decisions = [];
    }
    this.gathered();
  }

  gathered() {
    this.byTrack = new Map();
    for (const one of inForce(this.decisions)) {
      if (!this.byTrack.has(one.track_id)) this.byTrack.set(one.track_id, []);
      this.byTrack.get(one.track_id).push(one);
    }
    this.catalogue.keys.delete("signoff");
  }

  stateOf(i) {
    const { track_id, key } = this.catalogue.columns;
    return { state: stateFrom(this.byTrack.get(track_id[i]) ?? [], key?.[i] ?? null) };
  }

  /** Whether a decision may ask the next run for something: here none is known to be about masters of the past. */
  asks() {
    return true;
  }

  get where() {
    return `Kept in this browser: ${count(this.decisions.length, "decision")}. Export them, and “lathe signoff import OUTPUT FILE” makes them count.`;
  }

  async decide(tracks, asked) {
    const at = new Date().toISOString();
    const first = this.decisions.reduce((most, one) => Math.max(most, one.number), 0) + 1;
    tracks.forEach((i, k) =>
      this.decisions.push({ number: first + k, at, reviewer: this.reviewer, ...this.record(i, asked) }),
    );
    this.last = tracks.length;
    this.keep();
  }

  /** What was decided last goes as if it never was: nobody has seen it yet. */
  async undo() {
    const gone = this.decisions.splice(this.decisions.length - (this.last ?? 1));
    this.last = 1;
    this.keep();
    return gone.length;
  }

  keep() {
    this.gathered();
    try {
      localStorage.setItem(this.name, JSON.stringify(this.decisions));
    } catch {
      throw new Error(
        "This browser keeps nothing for pages from a disk: export the decisions before you close the page.",
      );
    }
  }

  named(reviewer) {
    this.reviewer = reviewer;
    try {
      localStorage.setItem("lathe-reviewer", reviewer);
    } catch {
      // Asked again next time.
    }
  }

  /** The file that `lathe signoff import` takes. */
  exported() {
    const decisions = this.decisions.map(({ number, ...one }) => ({ number: 0, ...one }));
    return JSON.stringify(
      { lathe_signoff: SIGNOFF_FORM, output_run: this.catalogue.run.run_id, reviewer: this.reviewer, decisions },
      null,
      1,
    );
  }

  /** Takes a file that was exported before; those that are here already count once. */
  imported(text) {
    const told = JSON.parse(text);
    if (told?.lathe_signoff !== SIGNOFF_FORM || !Array.isArray(told.decisions))
      throw new Error("This is no file of decisions that a report exported.");
    const found = told.decisions.filter(isDecision).map((one) => ({ ...one, at: new Date(one.at).toISOString() }));
    // Numbers of another place mean nothing here: what was taken back there does not come in, or goes.
    const counting = inForce(found);
    const kept = new Set(counting.map(nameOf));
    const gone = new Set(found.map(nameOf).filter((name) => !kept.has(name)));
    this.decisions = this.decisions.filter((one) => !gone.has(nameOf(one)));
    const known = new Set(this.decisions.map(nameOf));
    const fresh = counting.filter((one) => !known.has(nameOf(one)));
    const first = this.decisions.reduce((most, one) => Math.max(most, one.number), 0) + 1;
    fresh.forEach((one, k) => this.decisions.push({ ...one, number: first + k }));
    this.last = fresh.length || 1; // an undo takes back the file, and nothing of what was decided before it
    this.keep();
    return fresh.length;
  }
}

/** The same decision has the same name wherever it is kept. */
function nameOf(one) {
  return [one.reviewer, one.at, one.track_id, one.word, one.masters_key].join("\n");
}

function isDecision(one) {
  return (
    ["track_id", "at", "reviewer", "word"].every((name) => typeof one?.[name] === "string") &&
    (one.word === "undo" || Object.hasOwn(STATE_OF, one.word)) &&
    !Number.isNaN(Date.parse(one.at))
  );
}

function stored(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

/** With `lathe review`: the server keeps everything, and says who may do what. */
class KeptByServer extends SignOff {
  static async opened(catalogue) {
    const kept = new KeptByServer(catalogue);
    kept.session = await kept.asked("api/session");
    await kept.renewed();
    return kept;
  }

  get reviewer() {
    return this.session.reviewer;
  }

  get canDecide() {
    return this.session.role !== "viewer";
  }

  get canRelease() {
    return this.session.role === "operator";
  }

  get where() {
    return `Kept by the server, as ${this.session.reviewer} (${this.session.role})${this.session.two_person ? "; two people must approve" : ""}.`;
  }

  async renewed() {
    const told = await this.asked("api/decisions");
    this.decisions = told.decisions;
    this.states = new Map(Object.entries(told.states));
    this.newerRun = told.run === this.catalogue.run.run_id ? null : told.run;
    this.catalogue.keys.delete("signoff");
  }

  /** As the server counts: it compares whole hashes, and knows persons by more than the spelling of their name. */
  stateOf(i) {
    return this.states.get(this.catalogue.columns.track_id[i]) ?? { state: "open" };
  }

  /** Of a decision about masters that stood no more when it came in, the server keeps no hashes. */
  asks(one) {
    return one.masters !== undefined;
  }

  async decide(tracks, asked) {
    this.last = 0;
    try {
      for (const some of portions(tracks.map((i) => this.record(i, asked)))) {
        await this.asked("api/decisions", some);
        this.last += some.length;
      }
    } finally {
      await this.renewed();
    }
  }

  /** Takes back this reviewer's last decisions, as many as were made at once. */
  async undo() {
    const mine = inForce(this.decisions).filter((one) => one.reviewer === this.reviewer);
    const numbers = mine.slice(-(this.last || 1)).map((one) => one.number);
    for (const some of portions(numbers)) await this.asked("api/undo", { numbers: some });
    this.last = 1;
    await this.renewed();
    return numbers.length;
  }

  async release() {
    return this.asked("api/release", {});
  }

  async asked(path, body) {
    const headers = body === undefined ? {} : { "Content-Type": "application/json", "X-Lathe-Csrf": this.session.csrf };
    const answer = await fetch(path, {
      method: body === undefined ? "GET" : "POST",
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(told.error ?? `${path}: ${answer.status} ${answer.statusText}`);
    return told;
  }
}
