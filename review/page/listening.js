// Before and after of one track, switched at the same instant and at equal loudness. Knows nothing of how the page looks.

const BOTH_SIDES = ["before", "after"];
const SAME_LEVEL_DB = 0.05; // less is not said: it rounds to 0.0
const LONGEST_DECODED_BYTES = 300e6; // both sides as floats: 6.5 minutes of stereo at 48 kHz
const BLIND_S = 0.08; // silence around a blind switch, whether or not anything is switched

/**
 * Volumes at which both sides are equally loud: the louder one is turned down, so that nothing can clip.
 * @param {?number} beforeLufs @param {?number} afterLufs integrated loudness, measured on the files; null where a file is silent
 * @returns {{before: number, after: number, told: string}} factors of the amplitude, and the same in words
 */
function equalLevels(beforeLufs, afterLufs) {
  if (!Number.isFinite(beforeLufs) || !Number.isFinite(afterLufs)) {
    return {
      before: 1,
      after: 1,
      told: `levels as they are: the ${Number.isFinite(beforeLufs) ? "after" : "before"} side has no loudness`,
    };
  }
  const quieter = Math.min(beforeLufs, afterLufs);
  const volume = (lufs) => 10 ** ((quieter - lufs) / 20);
  const down = Math.abs(beforeLufs - afterLufs);
  const turned =
    down < SAME_LEVEL_DB
      ? "as they are"
      : `${beforeLufs > afterLufs ? "before" : "after"} turned down by ${down.toFixed(1)} dB`;
  return {
    before: volume(beforeLufs),
    after: volume(afterLufs),
    told: `both at ${quieter.toFixed(1)} LUFS: ${turned}`,
  };
}

/**
 * Plays both sides together and lets one of them be heard.
 *
 * From disk by two audio elements, kept together by ElementPlayer. From a server, where the tracks are not too long, by decoded samples
 * (BufferPlayer), which are loaded when play is first pressed. A side that cannot be played leaves the other one to be heard.
 */
class Listening {
  /**
   * @param {{before: {url: ?string, lufs: ?number}, after: {url: ?string, lufs: ?number}, onchange?: () => void, decodes?: boolean}} options
   *   onchange is called when state, side or loop change; decodes says whether samples may be decoded (as it is: where the page is served)
   */
  constructor({ before, after, onchange = () => {}, decodes = location.protocol.startsWith("http") }) {
    this.urls = { before: before.url, after: after.url };
    this.levels = equalLevels(before.lufs, after.lufs);
    this.onchange = onchange;
    this.decodes = decodes;
    this.wanted = false; // whether play was asked for last
    /** @type {"loading" | "ready" | "playing" | "paused" | "error"} */
    this.state = "loading";
    this.sentence = "Loading.";
    this.player = new ElementPlayer(
      this.urls,
      this.levels,
      () => this.ended(),
      () => this.failed(),
    );
    this.opened = this.player.opened.then(() => this.closed || this.openedWith());
  }

  get side() {
    return this.player.side;
  }
  set side(side) {
    this.hear(side);
  }
  get positionS() {
    return this.player.positionS;
  }
  get durationS() {
    return this.player.durationS;
  }
  /** What is looped: [start, end] in seconds, or null. */
  get span() {
    return this.player.span;
  }
  /** The sides that can be played. */
  get sides() {
    return this.player.sides;
  }
  /** "samples" or "elements": what is played by. */
  get means() {
    return this.player.means;
  }

  async play() {
    if (this.state === "playing") return;
    this.wanted = true;
    await this.opened;
    if (this.closed || !this.sides.length) return;
    await this.decoded();
    if (this.closed || !this.wanted) return;
    try {
      await this.player.play();
      if (this.wanted) this.tell("playing", "");
    } catch (error) {
      if (error.name !== "AbortError") this.refused(error); // AbortError: pause came first
    }
  }

  pause() {
    this.wanted = false;
    this.player.pause();
    if (this.state === "playing" || (this.state === "loading" && this.sides.length)) this.tell("paused", "");
  }

  toggle() {
    return this.wanted ? this.pause() : this.play();
  }

  /** @param {number} seconds */
  seek(seconds) {
    if (!this.durationS) {
      this.opened.then(() => this.durationS && this.seek(seconds));
      return;
    }
    if (this.span && (seconds < this.span[0] || seconds >= this.span[1])) this.unloop();
    this.player.seek(Math.max(0, seconds));
    this.onchange();
  }

  /** Makes the other side heard; resolves when it is. */
  switchSide() {
    return this.hear(this.side === "before" ? "after" : "before");
  }

  /**
   * Makes a side heard; resolves when it is.
   * @param {string} side
   */
  async hear(side) {
    if (!BOTH_SIDES.includes(side)) throw new RangeError(`side must be before or after, got ${side}`);
    if (!this.sides.includes(side)) await this.opened;
    if (this.closed || !this.sides.includes(side)) return;
    const heard = this.player.hear(side);
    this.onchange();
    await heard;
  }

  /**
   * The same with a short silence around it, also where that side is heard already, so that the switch itself tells nothing.
   * @param {string} side
   */
  async hearBlindly(side) {
    const turn = (this.blindTurn = (this.blindTurn ?? 0) + 1);
    this.player.hush(true);
    await waited(BLIND_S);
    await this.player.hear(side === "before" ? "after" : "before"); // so that a switch that waits tells nothing either
    await this.player.hear(side);
    if (turn === this.blindTurn) this.player.hush(false);
  }

  /** @param {number} startS @param {number} endS */
  loop(startS, endS) {
    if (!(startS < endS)) throw new RangeError(`a loop must end after it begins, got ${startS} to ${endS} s`);
    const end = Math.min(endS, this.durationS || endS);
    this.player.loop([Math.max(0, Math.min(startS, end - 0.1)), end]);
    this.onchange();
  }

  unloop() {
    this.player.loop(null);
    this.onchange();
  }

  /** Stops and lets go of files and sound. */
  destroy() {
    this.closed = true;
    this.wanted = false;
    this.player.destroy();
  }

  tell(state, sentence) {
    this.state = state;
    this.sentence = [sentence, ...Object.values(this.player.problems)].filter(Boolean).join(" ");
    this.onchange();
  }

  openedWith() {
    if (!this.sides.includes(this.side) && this.sides.length) this.player.hear(this.sides[0]);
    this.tell(this.sides.length ? "ready" : "error", "");
  }

  ended() {
    this.wanted = false;
    this.tell("paused", "At the end.");
  }

  /** A side that played cannot be played on. */
  failed() {
    if (this.closed) return;
    if (this.sides.length) {
      if (!this.sides.includes(this.side)) this.player.hear(this.sides[0]);
      this.tell(this.state, "");
      return;
    }
    this.wanted = false;
    this.player.pause();
    this.tell("error", "");
  }

  refused(error) {
    this.wanted = false;
    this.player.pause();
    this.tell(
      "error",
      error.name === "NotAllowedError"
        ? "The browser plays nothing before it was asked to on this page: press play again."
        : `Playing failed: ${error.message}.`,
    );
  }

  /** Changes from elements to decoded samples, once, where that is possible; else leaves the elements. */
  async decoded() {
    if (!this.decodes || this.sides.length < 2) return;
    this.decodes = false;
    if (decodedBytes(this.durationS) > LONGEST_DECODED_BYTES) return;
    this.tell("loading", "Loading both sides.");
    const player = await BufferPlayer.opened(this.urls, this.levels, () => this.ended()).catch(() => null);
    if (!player) return;
    if (this.closed) {
      player.destroy();
      return;
    }
    player.takeOver(this.player);
    this.player.destroy();
    this.player = player;
  }
}

/** Bytes of both sides decoded as stereo at 48 kHz. */
function decodedBytes(durationS) {
  return durationS * 48_000 * 2 * 2 * 4;
}
