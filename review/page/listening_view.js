// What can be pressed to hear before and after, and to test oneself blindly. The engine is Listening, the test is Abx.

const STEP_S = 5; // arrow keys on the position
const LEAP_S = 15;
const LOUD_S = 15; // of the loudest passage
const LEAD_IN_S = 2; // heard before a moment
const LEAD_OUT_S = 3;

/**
 * Builds the controls into an element.
 * @param {HTMLElement} root
 * @param {{before: Side, after: Side, duration_s: number, loudest_s: number, moments: {at_s: number, text: string}[]}} track
 *   Side: {url: ?string, lufs: ?number, label: string}
 * @returns {{listening: Listening, key: (event: KeyboardEvent) => boolean, seekFraction: (fraction: number) => void,
 *   onposition: (callback: (seconds: number) => void) => void, destroy: () => void}}
 */
function listeningView(root, track) {
  return new ListeningView(root, track);
}

class ListeningView {
  constructor(root, track) {
    this.track = track;
    this.followers = [];
    this.listening = new Listening({ before: track.before, after: track.after, onchange: () => this.renew() });
    this.playButton = pressable("Play", () => this.listening.toggle(), "listen-play");
    this.sideButtons = Object.fromEntries(
      BOTH_SIDES.map((side) => [side, pressable(track[side].label, () => this.listening.hear(side))]),
    );
    this.position = this.positionSlider();
    this.loops = this.loopButtons();
    this.state = element("p", { class: "listen-state", role: "status" });
    this.blind = new BlindTest(this.listening, () => this.renew());
    root.classList.add("listen");
    root.append(
      element(
        "div",
        { class: "listen-row" },
        this.playButton,
        element("div", { class: "listen-row", role: "group", "aria-label": "Heard" }, Object.values(this.sideButtons)),
        (this.time = element("span", { class: "listen-time" })),
      ),
      this.position,
      element("p", { class: "listen-told" }, `Equal loudness: ${this.listening.levels.told}.`),
      element(
        "div",
        { class: "listen-row", role: "group", "aria-label": "What is played" },
        this.loops.map(({ button }) => button),
      ),
      this.state,
      this.blind.panel,
    );
    this.renew();
  }

  /** Calls back with the position in seconds, whenever it changed. */
  onposition(callback) {
    this.followers.push(callback);
    callback(this.listening.positionS);
  }

  /** Goes to a share of the track, such as where a drawing was clicked. */
  seekFraction(fraction) {
    this.listening.seek(Math.min(1, Math.max(0, fraction)) * this.durationS);
  }

  /** Space plays and pauses, x switches; true where the key was taken. */
  key(event) {
    if (
      event.ctrlKey ||
      event.altKey ||
      event.metaKey ||
      event.target?.closest?.("input, textarea, select, [contenteditable]")
    )
      return false;
    if (event.key === " " && !event.target?.closest?.("button, a, summary")) this.listening.toggle();
    else if (event.key === "x") this.blind.hides ? this.blind.play("X") : this.listening.switchSide();
    else return false;
    event.preventDefault();
    return true;
  }

  destroy() {
    cancelAnimationFrame(this.frame);
    this.listening.destroy();
  }

  get durationS() {
    return this.listening.durationS || this.track.duration_s;
  }

  /** Shows how things stand; while a blind test runs, nothing that would tell which side is heard. */
  renew() {
    if (!this.blind) return;
    const { listening, blind } = this;
    const playing = listening.state === "playing";
    settled(this.playButton, playing ? "Pause" : "Play", listening.state === "error" && !listening.sides.length);
    for (const [side, button] of Object.entries(this.sideButtons)) {
      button.disabled = blind.hides || !listening.sides.includes(side);
      button.setAttribute(
        "aria-pressed",
        String(!blind.hides && listening.side === side && listening.sides.includes(side)),
      );
    }
    if (!listening.span) this.loopWanted = null;
    for (const { button, span } of this.loops)
      button.setAttribute("aria-pressed", String(String(span) === String(this.loopWanted ?? null)));
    blind.renew();
    this.say();
    this.follow();
  }

  say() {
    const { listening, blind } = this;
    const heard = blind.hides ? blind.heard : this.track[listening.side].label;
    const word = {
      loading: "",
      ready: "Ready.",
      playing: `Playing${heard ? `: ${heard}` : ""}${listening.span ? ", in a loop" : ""}.`,
      paused: "Paused.",
      error: "",
    }[listening.state];
    const text = [word, listening.sentence].filter(Boolean).join(" ");
    this.state.classList.toggle(
      "listen-failed",
      listening.state === "error" || (listening.sides.length < 2 && listening.state !== "loading"),
    );
    if (this.state.textContent !== text) this.state.textContent = text;
  }

  /** Moves the position along while it plays. */
  follow() {
    cancelAnimationFrame(this.frame);
    const seconds = this.listening.positionS;
    const told = `${clock(seconds)} of ${clock(this.durationS)}`;
    this.time.textContent = told;
    this.position.setAttribute("aria-valuemax", String(Math.round(this.durationS)));
    this.position.setAttribute("aria-valuenow", String(Math.round(seconds)));
    this.position.setAttribute("aria-valuetext", told);
    this.position.style.setProperty("--listen-at", `${(100 * seconds) / (this.durationS || 1)}%`);
    for (const callback of this.followers) callback(seconds);
    if (this.listening.state === "playing") this.frame = requestAnimationFrame(() => this.follow());
  }

  positionSlider() {
    const slider = element("div", {
      class: "listen-position",
      role: "slider",
      tabindex: "0",
      "aria-label": "Position",
      "aria-valuemin": "0",
      "aria-valuemax": "0",
      "aria-valuenow": "0",
    });
    slider.addEventListener("click", (event) => {
      const box = slider.getBoundingClientRect();
      this.seekFraction((event.clientX - box.left) / box.width);
    });
    slider.addEventListener("keydown", (event) => {
      const by = {
        ArrowLeft: -STEP_S,
        ArrowDown: -STEP_S,
        ArrowRight: STEP_S,
        ArrowUp: STEP_S,
        PageDown: -LEAP_S,
        PageUp: LEAP_S,
        Home: -this.durationS,
        End: this.durationS,
      }[event.key];
      if (by === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      this.listening.seek(Math.min(this.durationS, this.listening.positionS + by));
    });
    return slider;
  }

  /** Buttons that choose what is played, each with its span; null: all of it. */
  loopButtons() {
    const { loudest_s: loudest, moments, duration_s: duration } = this.track;
    const spans = [
      ["Whole track", null],
      [`Loop the loudest ${LOUD_S} s`, [loudest, Math.min(duration, loudest + LOUD_S)]],
    ];
    for (const { at_s: at, text } of moments)
      spans.push([`Loop ${clock(at)} ${text}`, [Math.max(0, at - LEAD_IN_S), Math.min(duration, at + LEAD_OUT_S)]]);
    return spans.map(([text, span]) => ({ span, button: pressable(text, () => this.chooseLoop(span)) }));
  }

  chooseLoop(span) {
    this.loopWanted = span;
    if (span) this.listening.loop(...span);
    else this.listening.unloop();
  }
}

/** The panel of a blind test. While it runs, `hides` is true. */
class BlindTest {
  constructor(listening, onchange) {
    this.listening = listening;
    this.onchange = onchange;
    /** @type {?Abx} */
    this.test = null;
    this.heard = ""; // the letter that was pressed last, never a side
    this.begin = pressable("Begin", () => this.start());
    this.players = ["A", "B", "X"].map((letter) =>
      pressable({ A: "Play A (before)", B: "Play B (after)", X: "Play X" }[letter], () => this.play(letter)),
    );
    this.answers = ["A", "B"].map((letter) => pressable(`X is ${letter}`, () => this.answer(letter)));
    this.end = pressable("Stop the test", () => {
      this.test.stop();
      this.reveal();
    });
    this.score = element("p", { class: "listen-score", role: "status" });
    this.panel = element(
      "details",
      { class: "listen-blind" },
      element("summary", {}, "Blind test (ABX)"),
      element(
        "p",
        {},
        `X is before or after, by chance, at equal loudness. Say which, ${ABX_TRIALS} times; the score and the probability of guessing as well are told at the end.`,
      ),
      element("div", { class: "listen-row" }, this.begin, this.players, this.answers, this.end),
      this.score,
    );
  }

  get hides() {
    return this.test !== null && !this.test.done;
  }

  start() {
    this.test = new Abx();
    this.play("X");
  }

  play(letter) {
    this.heard = letter;
    this.listening.hearBlindly(this.test.sideOf(letter)).then(this.onchange);
    if (this.listening.state !== "playing") this.listening.play();
    this.onchange();
  }

  answer(letter) {
    this.test.answer(letter);
    if (this.hides) this.play("X");
    else this.reveal();
  }

  reveal() {
    this.heard = "";
    this.onchange();
  }

  renew() {
    const both = this.listening.sides.length === 2;
    settled(this.begin, this.test ? "Begin again" : "Begin", this.hides || !both);
    for (const button of [...this.players, ...this.answers, this.end]) button.hidden = !this.hides;
    this.players.forEach((button, k) => button.setAttribute("aria-pressed", String(this.heard === "ABX"[k])));
    const told = this.test ? this.test.told : both ? "" : "Needs both sides.";
    if (this.score.textContent !== told) this.score.textContent = told;
  }
}

function pressable(text, onclick, name = "") {
  return element("button", { type: "button", class: `listen-button ${name}`.trim(), onclick }, text);
}

function settled(button, text, disabled) {
  if (button.textContent !== text) button.textContent = text;
  button.disabled = disabled;
}
