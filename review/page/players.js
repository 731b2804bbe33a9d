// The two ways in which both sides are played together: two audio elements, or decoded samples. Used by Listening only.

// Volume of what is not heard: 100 dB down. At 0 Chromium takes the element off the sound card, and putting it back makes a gap of 20 to 60 ms.
const UNHEARD = 1e-5;
const TOGETHER_S = 0.01; // further apart they are brought together before a switch
const CLOSE_S = 0.002; // nearer is left alone
const SEEK_S = 0.1; // further apart than this the silent side jumps; nearer it runs faster or slower for NUDGE_S
const NUDGE_S = 0.25;
const READINGS = 5; // of the clocks, whose median counts: Firefox's go in steps of 40 ms, by turns
const SURE_S = 0.001; // three readings that agree so well are enough
const FADE_S = 0.01; // crossfade of decoded samples
const AHEAD_S = 0.01; // what is asked of the sound thread lies so far ahead that it is not late
const CHECK_S = 0.05;
const PATIENCE_S = 1; // a switch waits no longer for the other side
const UNPLAYABLE = { aif: "AIFF", aiff: "AIFF", aifc: "AIFF", w64: "Wave64", caf: "CAF", dsf: "DSD", dff: "DSD" };

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const waited = (seconds) =>
  new Promise((resolve) => {
    setTimeout(resolve, seconds * 1000);
  });

/**
 * Two audio elements that run together; the one that is not heard has next to no volume and is kept beside the other.
 *
 * A page from disk can neither read files nor send them through WebAudio; it can play them.
 */
class ElementPlayer {
  /**
   * @param {{before: ?string, after: ?string}} urls @param {{before: number, after: number}} levels
   * @param {() => void} onend @param {() => void} onfail a side failed after it was opened
   */
  constructor(urls, levels, onend, onfail) {
    this.means = "elements";
    this.levels = levels;
    this.onend = onend;
    this.onfail = onfail;
    this.side = "before";
    this.heard = "before"; // while a switch waits this is not yet the side
    this.span = null;
    this.hushed = false;
    /** @type {number[]} */
    this.readings = []; // how far ahead the silent side was
    /** @type {number | undefined} */
    this.nudge = undefined; // how far ahead it was when it began to be corrected
    /** @type {Record<string, string>} */
    this.problems = {};
    this.audio = { before: new Audio(), after: new Audio() };
    this.opened = Promise.all(BOTH_SIDES.map((side) => this.open(side, urls[side])));
    this.renewVolumes();
  }

  get sides() {
    return BOTH_SIDES.filter((side) => !this.problems[side] && this.audio[side].readyState > 0);
  }
  get positionS() {
    return this.audio[this.heard].currentTime;
  }
  get durationS() {
    return this.sides.length ? Math.min(...this.sides.map((side) => this.audio[side].duration)) : 0;
  }
  /** How far the silent side is ahead of the heard one. */
  get aheadS() {
    return this.silent ? this.silent.currentTime - this.audio[this.heard].currentTime : 0;
  }
  /** The element that is not heard, where there are two. */
  get silent() {
    return this.sides.length < 2 ? null : this.audio[this.heard === "before" ? "after" : "before"];
  }

  async play() {
    if (this.positionS >= this.durationS - CHECK_S) this.seek(this.span ? this.span[0] : 0);
    await Promise.all(this.sides.map((side) => this.audio[side].play()));
    clearInterval(this.timer);
    this.timer = setInterval(() => this.check(), CHECK_S * 1000);
  }

  pause() {
    clearInterval(this.timer);
    clearTimeout(this.turn);
    this.timer = this.turn = undefined;
    for (const side of BOTH_SIDES) this.audio[side].pause();
    if (this.silent) this.silent.currentTime = this.positionS;
  }

  seek(seconds) {
    clearTimeout(this.turn);
    this.turn = undefined;
    const at = Math.min(seconds, this.durationS);
    for (const side of this.sides) this.audio[side].currentTime = at;
  }

  async hear(side) {
    this.side = side;
    const until = performance.now() + PATIENCE_S * 1000;
    while (this.heard !== side && this.apart() && performance.now() < until) {
      await waited(CHECK_S / 5);
      if (this.side !== side) return; // asked otherwise meanwhile
    }
    if (this.heard !== side) this.readings = [];
    this.heard = side;
    this.audio[side].playbackRate = 1;
    this.renewVolumes();
  }

  hush(hushed) {
    this.hushed = hushed;
    this.renewVolumes();
  }

  loop(span) {
    this.span = span;
    clearTimeout(this.turn);
    this.turn = undefined;
    if (span && (this.positionS < span[0] || this.positionS >= span[1])) this.seek(span[0]);
  }

  destroy() {
    this.pause();
    for (const audio of Object.values(this.audio)) {
      audio.removeAttribute("src");
      audio.load();
    }
  }

  renewVolumes() {
    for (const side of BOTH_SIDES)
      this.audio[side].volume = side === this.heard && !this.hushed ? this.levels[side] : UNHEARD;
  }

  /** Resolves when the file's length is known, or why not is. */
  open(side, url) {
    const audio = this.audio[side];
    audio.preload = "auto";
    audio.preservesPitch = false; // the cheapest way to run a little faster; only the silent side does
    return new Promise((resolve) => {
      audio.addEventListener("loadedmetadata", resolve);
      const failed = async () => {
        const opened = audio.readyState > 0;
        this.problems[side] = await problemOf(side, url, audio.error);
        if (opened) this.onfail();
        resolve();
      };
      if (!url) {
        failed();
        return;
      }
      audio.addEventListener("error", () => {
        if (audio.hasAttribute("src")) failed();
      });
      audio.src = url;
    });
  }

  /** Several times a second: at the end, at the end of the loop, or not quite beside each other. */
  check() {
    const leftS = (this.span ? this.span[1] : this.durationS) - this.positionS;
    if (!this.span && (leftS <= 0.005 || this.audio[this.heard].ended)) {
      this.pause();
      this.onend();
    } else if (this.span && leftS < 2 * CHECK_S && this.turn === undefined) {
      // Asked for exactly, for the next check might come too late.
      this.turn = setTimeout(
        () => {
          if (this.span) this.seek(this.span[0]);
        },
        Math.max(0, leftS) * 1000,
      );
    } else this.align();
  }

  /** Whether the two are known to be too far apart for a switch. */
  apart() {
    if (this.timer === undefined || !this.silent) return false;
    return (
      this.seeking() ||
      Math.abs(this.nudge ?? median(this.readings.length ? this.readings : [this.aheadS])) > TOGETHER_S
    );
  }

  seeking() {
    return this.sides.some((side) => this.audio[side].seeking);
  }

  /** Reads how far apart the two are, and brings the silent one beside the other; what is heard is left alone. */
  align() {
    const silent = this.silent;
    if (!silent || this.seeking()) {
      this.readings = [];
      return;
    }
    if (silent.paused && !silent.ended && !this.audio[this.heard].paused) silent.play().catch(() => {});
    if (this.nudge !== undefined) return;
    this.readings.push(this.aheadS);
    const last = this.readings.slice(-3);
    const sure =
      this.readings.length >= READINGS || (last.length === 3 && Math.max(...last) - Math.min(...last) < SURE_S);
    const ahead = median(this.readings.length >= READINGS ? this.readings : last);
    if (sure && Math.abs(ahead) >= CLOSE_S) this.correct(silent, ahead);
    else this.readings = this.readings.slice(1 - READINGS);
  }

  correct(silent, ahead) {
    this.readings = [];
    if (Math.abs(ahead) > SEEK_S) {
      silent.currentTime = this.positionS;
      return;
    }
    this.nudge = ahead;
    silent.playbackRate = 1 - ahead / NUDGE_S;
    setTimeout(() => {
      silent.playbackRate = 1;
      this.nudge = undefined;
    }, NUDGE_S * 1000);
  }
}

/** Both sides decoded and started at the same frame; the switch is a crossfade of 10 ms. */
class BufferPlayer {
  /** Reads and decodes both files; fails where one cannot be, or where they are too large. */
  static async opened(urls, levels, onend) {
    const context = new AudioContext();
    try {
      const buffers = await Promise.all(
        BOTH_SIDES.map(async (side) => {
          const answer = await fetch(urls[side]);
          if (!answer.ok) throw new Error(`${answer.status} for ${urls[side]}`);
          return context.decodeAudioData(await answer.arrayBuffer());
        }),
      );
      if (buffers.reduce((sum, buffer) => sum + buffer.length * buffer.numberOfChannels * 4, 0) > LONGEST_DECODED_BYTES)
        throw new RangeError("too long");
      return new BufferPlayer(context, { before: buffers[0], after: buffers[1] }, levels, onend);
    } catch (error) {
      context.close();
      throw error;
    }
  }

  constructor(context, buffers, levels, onend) {
    this.means = "samples";
    this.context = context;
    this.buffers = buffers;
    this.levels = levels;
    this.onend = onend;
    this.problems = {};
    this.sides = BOTH_SIDES;
    this.side = "before";
    this.span = null;
    this.voices = null; // of what is playing: a source and a gain for each side
    this.restS = 0; // where play goes on
    this.output = context.createGain();
    this.output.connect(context.destination);
  }

  get durationS() {
    return Math.min(this.buffers.before.duration, this.buffers.after.duration);
  }

  get positionS() {
    if (!this.voices) return this.restS;
    const atS = this.restS + Math.max(0, this.context.currentTime - this.startedS);
    if (!this.span || atS < this.span[1]) return Math.min(atS, this.durationS);
    return this.span[0] + ((atS - this.span[0]) % (this.span[1] - this.span[0]));
  }

  /** Goes on where another player stood. */
  takeOver(other) {
    [this.side, this.span, this.restS] = [other.side, other.span, Math.min(other.positionS, this.durationS)];
    if (other.hushed) this.hush(true);
  }

  async play() {
    // Without a gesture `resume` stays without an answer.
    await Promise.race([this.context.resume(), waited(PATIENCE_S)]);
    if (this.context.state !== "running") throw new DOMException("the sound stays off", "NotAllowedError");
    if (this.restS >= this.durationS - FADE_S) this.restS = 0;
    this.start();
  }

  pause() {
    this.restS = this.positionS;
    this.stop();
  }

  seek(seconds) {
    this.moved(() => {
      this.restS = Math.min(seconds, this.durationS);
    });
  }

  loop(span) {
    this.moved(() => {
      this.span = span;
      if (span && (this.restS < span[0] || this.restS >= span[1])) this.restS = span[0];
    });
  }

  async hear(side) {
    this.side = side;
    if (this.voices)
      for (const one of BOTH_SIDES)
        faded(this.context, this.voices[one].gain.gain, one === side ? this.levels[one] : 0);
  }

  hush(hushed) {
    faded(this.context, this.output.gain, hushed ? 0 : 1);
  }

  destroy() {
    this.stop();
    this.context.close();
  }

  /** Changes something about where it plays, and plays on from there if it did. */
  moved(change) {
    const playing = this.voices !== null;
    this.pause();
    change();
    if (playing) this.start();
  }

  start() {
    this.stop();
    const at = this.context.currentTime + AHEAD_S;
    this.startedS = at;
    this.voices = Object.fromEntries(BOTH_SIDES.map((side) => [side, this.voice(side, at)]));
    const voices = this.voices;
    voices.before.source.onended = voices.after.source.onended = () => {
      if (this.voices === voices) this.finish();
    };
  }

  voice(side, at) {
    const source = new AudioBufferSourceNode(this.context, { buffer: this.buffers[side], loop: this.span !== null });
    if (this.span) [source.loopStart, source.loopEnd] = this.span;
    const gain = new GainNode(this.context, { gain: 0 });
    source.connect(gain).connect(this.output);
    source.start(at, this.restS);
    if (side === this.side) faded(this.context, gain.gain, this.levels[side]);
    return { source, gain };
  }

  stop() {
    const { voices, context } = this;
    this.voices = null;
    if (!voices) return;
    for (const { source, gain } of Object.values(voices)) {
      faded(context, gain.gain, 0);
      source.stop(context.currentTime + 2 * FADE_S);
    }
  }

  finish() {
    this.stop();
    this.restS = this.durationS;
    this.onend();
  }
}

/** A straight line to a level: both sides hold the same music, so two straight lines sum to one level. */
function faded(context, parameter, level) {
  const [now, value] = [context.currentTime, parameter.value];
  parameter.cancelScheduledValues(0);
  parameter.setValueAtTime(value, now);
  parameter.setValueAtTime(value, now + AHEAD_S);
  parameter.linearRampToValueAtTime(level, now + AHEAD_S + FADE_S);
}

/** Why a side cannot be played, as far as a browser tells. */
async function problemOf(side, url, error) {
  const told = `The ${side} side cannot be played: `;
  if (!url) return `${told}no file of it is within reach.`;
  const ending = url.split(/[?#]/)[0].split(".").pop().toLowerCase();
  if (UNPLAYABLE[ending]) return `${told}browsers do not play ${UNPLAYABLE[ending]}.`;
  const name = decodeURIComponent(url.split(/[?#]/)[0].split("/").pop());
  if (error.code !== MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED)
    return `${told}"${name}" is damaged, or there is no sound device (${error.message || "no reason given"}).`;
  if (!location.protocol.startsWith("http"))
    return `${told}there is no file "${name}" where the run left it, or it is damaged.`;
  const status = await fetch(url, { method: "HEAD" }).then(
    (answer) => answer.status,
    () => 0,
  );
  if (status === 404) return `${told}there is no file "${name}".`;
  if (status === 0) return `${told}the server does not answer.`;
  return status < 400
    ? `${told}"${name}" is damaged, or in a format that this browser does not play.`
    : `${told}the server answers ${status} for "${name}".`;
}
