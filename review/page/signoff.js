// What reviewers decided: kept by the server that this page came from, or in this browser until it is exported.

const SIGNOFF_FORM = 1;
const DONE = { approve: "approved", reject: "rejected", needs_work: "sent back" };

/** The state of one track's masters, from all decisions in their order. */
function stateFrom(decisions, key, twoPersons) {
  const about = decisions.filter((one) => one.masters_key === key);
  if (!about.length) return { state: decisions.length ? "void" : "open" };
  const last = about[about.length - 1];
  if (last.word !== "approve") return { state: last.word === "reject" ? "rejected" : "needs_work", last };
  if (!twoPersons) return { state: "approved", last };
  const since = about.slice(1 + about.map((one) => one.word !== "approve").lastIndexOf(true));
  const people = new Set(since.map((one) => one.reviewer.trim().toLowerCase()));
  return { state: people.size > 1 ? "approved" : "approved_once", last };
}

/** Decisions without those that were taken back: an undo names a number, and so takes back another undo as well. */
function inForce(decisions) {
  const undone = new Set();
  for (const one of [...decisions].reverse())
    if (one.word === "undo" && !undone.has(one.number)) undone.add(one.undoes);
  return decisions.filter((one) => one.word !== "undo" && !undone.has(one.number));
}

/** Common to both ways of keeping decisions. */
class SignOff {
  constructor(catalogue) {
    this.catalogue = catalogue;
    this.decisions = [];
    this.twoPersons = false;
    this.byTrack = new Map();
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
    const found = this.byTrack.get(this.catalogue.columns.track_id[i]);
    if (!found) return { state: "open" };
    return stateFrom(found, this.catalogue.columns.key?.[i] ?? null, this.twoPersons);
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
        (one.scope ?? "track") === scope &&
        (scope === "album" ? one.album_id : one.track_id) === subject,
    );
    return found.length ? found[found.length - 1].revision : null;
  }

  record(i, { word, reason = "", note = "", scope = "track", revision = null }) {
    const { catalogue } = this;
    return {
      track_id: catalogue.value("track_id", i),
      album_id: catalogue.value("album_id", i),
      masters_key: catalogue.columns.key[i],
      word,
      reason,
      note,
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
    const nameOf = (one) => [one.reviewer, one.at, one.track_id, one.word, one.masters_key].join("\n");
    const known = new Set(this.decisions.map(nameOf));
    const fresh = told.decisions.filter(
      (one) =>
        typeof one.track_id === "string" &&
        typeof one.at === "string" &&
        typeof one.reviewer === "string" &&
        typeof one.word === "string" &&
        !known.has(nameOf(one)),
    );
    const first = this.decisions.reduce((most, one) => Math.max(most, one.number), 0) + 1;
    fresh.forEach((one, k) => this.decisions.push({ ...one, number: first + k }));
    this.keep();
    return fresh.length;
  }
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
    kept.twoPersons = kept.session.two_person;
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
    return `Kept by the server, as ${this.session.reviewer} (${this.session.role})${this.twoPersons ? "; two people must approve" : ""}.`;
  }

  async renewed() {
    this.decisions = (await this.asked("api/decisions")).decisions;
    this.gathered();
  }

  async decide(tracks, asked) {
    await this.asked(
      "api/decisions",
      tracks.map((i) => this.record(i, asked)),
    );
    this.last = tracks.length;
    await this.renewed();
  }

  /** Takes back this reviewer's last decisions, as many as were made at once. */
  async undo() {
    const mine = inForce(this.decisions)
      .filter((one) => one.reviewer === this.reviewer)
      .slice(-(this.last ?? 1));
    for (const one of mine.reverse()) await this.asked("api/undo", { number: one.number });
    this.last = 1;
    await this.renewed();
    return mine.length;
  }

  async release() {
    return this.asked("api/release", {});
  }

  async asked(path, body) {
    const headers =
      body === undefined ? {} : { "Content-Type": "application/json", "X-Lathe-Csrf": this.session.csrf };
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
