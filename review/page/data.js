// The catalogue that the page carries, and the details that it fetches a hundred tracks at a time.

const CHUNK = 100;
const VERDICTS = ["rejected", "listen", "ready"];

/** What is known of all tracks: one list for each thing, in one order. */
class Catalogue {
  constructor(told) {
    Object.assign(this, told);
    this.size = told.columns.track_id?.length ?? 0;
    this.chunks = new Map();
    this.keys = new Map();
    this.places = new Map();
    told.columns.track_id?.forEach((id, i) => this.places.set(id, i));
  }

  /** A value of a track, by name where only a number stands in its list. */
  value(name, i) {
    const found = this.columns[name]?.[i] ?? null;
    if (name === "verdict") return VERDICTS[found];
    return found !== null && this.names[name] ? this.names[name][found] : found;
  }

  codesOf(i) {
    return (this.columns.codes[i] ?? []).map((number) => this.codes[number]);
  }

  title(i) {
    return this.value("title", i) ?? this.value("track_id", i);
  }

  albumName(i) {
    const id = this.value("album_id", i);
    return this.albums[id]?.album ?? id;
  }

  /** Id and name of every album, as people look for them; an artist tells those apart that are called the same. */
  albumChoices() {
    if (this.choices) return this.choices;
    const many = new Map();
    const name = (id) => this.albums[id].album ?? id;
    for (const id of Object.keys(this.albums)) many.set(name(id), (many.get(name(id)) ?? 0) + 1);
    const told = (id) => (many.get(name(id)) > 1 ? `${name(id)} – ${this.albums[id].artist ?? id}` : name(id));
    const keyed = Object.keys(this.albums).map((id) => [readable(told(id)), id, told(id)]);
    keyed.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return (this.choices = keyed.map(([, id, text]) => [id, text]));
  }

  place(trackId) {
    return this.places.get(trackId) ?? null;
  }

  hasMasters(i) {
    return this.columns.key?.[i] != null;
  }

  /** Tracks of an album in their order. */
  tracksOf(albumId) {
    const wanted = this.names.album_id.indexOf(albumId);
    const found = [];
    this.columns.album_id.forEach((number, i) => number === wanted && found.push(i));
    const place = (i) => [this.value("disc", i) ?? 1, this.value("sequence", i) ?? 1e9, i];
    return found.sort((a, b) => compareLists(place(a), place(b)));
  }

  /** Numbers to sort by: a text's place among all texts, read as people read it. Kept, for a column is sorted often. */
  sortKeys(name) {
    if (!this.keys.has(name)) this.keys.set(name, keysOf(name, this));
    return this.keys.get(name);
  }

  /** All that is known of a track with masters: its row, put together from its chunk. */
  async details(i) {
    const table = await this.chunk(Math.floor(i / CHUNK));
    return valueAt(table, i % CHUNK);
  }

  /** A chunk comes as a script, for a page on a disk may load nothing else. */
  async chunk(number) {
    if (!this.chunks.has(number)) this.chunks.set(number, loadedChunk(this.pieces[number]));
    try {
      return await this.chunks.get(number);
    } catch (error) {
      this.chunks.delete(number);
      throw error;
    }
  }
}

const arriving = new Map();
/** Called by each of the scripts below tracks/. */
window.latheTracks = (name, text) => arriving.get(name)?.(text);

async function loadedChunk(name) {
  const text = await new Promise((resolve, reject) => {
    arriving.set(name, resolve);
    const script = element("script", { src: `tracks/${name}.js` });
    script.addEventListener("error", () =>
      reject(
        new Error(
          `tracks/${name}.js cannot be read: keep it beside this page, or load the page again if the report was written anew.`,
        ),
      ),
    );
    document.head.append(script);
  });
  arriving.delete(name);
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const opened = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return JSON.parse(await new Response(opened).text());
}

const starts = new WeakMap();

/** The value in row `i` of a column: a struct is an object of columns, a list has `lengths` and a column of all that is in them. */
function valueAt(column, i) {
  if (Array.isArray(column)) return column[i];
  if (!("lengths" in column))
    return Object.fromEntries(Object.entries(column).map(([name, inner]) => [name, valueAt(inner, i)]));
  if (!starts.has(column)) {
    let total = 0;
    starts.set(
      column,
      column.lengths.map((length) => (total += length) - length),
    );
  }
  const start = starts.get(column)[i];
  return Array.from({ length: column.lengths[i] }, (_, k) => valueAt(column.of, start + k));
}

function compareLists(a, b) {
  for (let k = 0; k < a.length; k++) if (a[k] !== b[k]) return a[k] - b[k];
  return 0;
}

/** Texts are read as people read them: without accents, and numbers by their value. */
function readable(text) {
  return text
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .replace(/\d+/g, (digits) => digits.padStart(8, "0"));
}

function keysOf(name, catalogue) {
  const keys = new Float64Array(catalogue.size).fill(Infinity);
  const of = COMPUTED[name] ? (i) => COMPUTED[name](catalogue, i) : numbersOf(name, catalogue);
  if (!of) return ranks(catalogue.size, textsOf(name, catalogue), keys);
  for (let i = 0; i < keys.length; i++) keys[i] = of(i) ?? Infinity;
  return keys;
}

function numbersOf(name, catalogue) {
  const column = catalogue.columns[name];
  const plain = column && !catalogue.names[name] && typeof firstOf(column) === "number";
  return plain ? (i) => column[i] : null;
}

function textsOf(name, catalogue) {
  if (name === "album") return (i) => readable(catalogue.albumName(i) ?? "");
  const column = catalogue.columns[name] ?? [];
  const texts = catalogue.names[name]?.map((text) => readable(text ?? ""));
  return (i) => (column[i] == null ? null : texts ? texts[column[i]] : readable(column[i]));
}

/** The place of each text among all, the same for equal ones. */
function ranks(size, textOf, keys) {
  const places = new Map();
  const of = new Array(size);
  for (let i = 0; i < size; i++) {
    of[i] = textOf(i);
    if (of[i] !== null) places.set(of[i], 0);
  }
  [...places.keys()].sort().forEach((text, place) => places.set(text, place));
  for (let i = 0; i < size; i++) keys[i] = of[i] === null ? Infinity : places.get(of[i]);
  return keys;
}

function firstOf(values) {
  return values?.find((value) => value !== null) ?? null;
}

/** Worst first: verdict, then how much is said against a track, then how far its limiter had to go. */
function attention(catalogue, i) {
  const weight = (catalogue.columns.codes[i] ?? []).reduce(
    (sum, code) => sum + WEIGHTS[catalogue.words[catalogue.codes[code]]?.severity ?? "info"],
    0,
  );
  return catalogue.columns.verdict[i] * 1e6 - weight * 100 - (catalogue.columns.limiter_max_reduction_db?.[i] ?? 0);
}

const WEIGHTS = { refused: 100, rejected: 100, fail: 100, warn: 10, info: 1 };
const COMPUTED = {
  attention,
  findings: (catalogue, i) => -(catalogue.columns.codes[i] ?? []).length,
  lift: (catalogue, i) => difference(catalogue.columns.lufs?.[i], catalogue.columns.lufs_before?.[i]),
  signoff: (catalogue, i) => STATES.indexOf(catalogue.signoff.stateOf(i).state),
};
const STATES = ["void", "needs_work", "rejected", "open", "approved_once", "approved"];

function difference(a, b) {
  return a == null || b == null ? null : a - b;
}
