// A blind test: whether someone hears a difference at all, told with the probability of guessing as well. Knows nothing of sound or page.

const ABX_TRIALS = 12; // 10 of 12 right: p = 0.02

/**
 * The probability of at least so many right answers by guessing (one-sided binomial, exact).
 * @param {number} right @param {number} asked
 */
function guessedAtLeast(right, asked) {
  let logWays = 0; // of choosing k of them
  let sum = right <= 0 ? Math.exp(-asked * Math.LN2) : 0;
  for (let k = 1; k <= asked; k++) {
    logWays += Math.log(asked - k + 1) - Math.log(k);
    if (k >= right) sum += Math.exp(logWays - asked * Math.LN2);
  }
  return Math.min(1, sum);
}

/** One side by a fair coin. */
function drawnSide() {
  return crypto.getRandomValues(new Uint8Array(1))[0] & 1 ? "after" : "before";
}

/**
 * A test of a fixed number of trials: in each, X is A (before) or B (after) by chance, and the listener says which.
 *
 * Answers cannot be changed and the score is not told before the end: stopping when it looks well would make p too small.
 */
class Abx {
  #x = null;
  #trials = [];
  #stopped = false;

  /** @param {number} [planned] @param {() => string} [draw] */
  constructor(planned = ABX_TRIALS, draw = drawnSide) {
    if (!Number.isInteger(planned) || planned < 1) throw new RangeError(`a test has at least 1 trial, got ${planned}`);
    this.planned = planned;
    this.draw = draw;
    this.#x = draw();
  }

  get answered() {
    return this.#trials.length;
  }
  get done() {
    return this.#stopped || this.answered >= this.planned;
  }

  /** The side that a button plays. Only to make it heard: nothing that can be seen may depend on it. */
  sideOf(letter) {
    return letter === "A" ? "before" : letter === "B" ? "after" : this.#x;
  }

  /** @param {"A" | "B"} letter what X is held to be */
  answer(letter) {
    if (this.done) throw new Error("the test is over: its answers stand");
    if (letter !== "A" && letter !== "B") throw new RangeError(`X is A or B, got ${letter}`);
    this.#trials.push(Object.freeze({ x: this.#x === "before" ? "A" : "B", answer: letter }));
    this.#x = this.draw();
  }

  /** Ends the test early; what was answered counts. */
  stop() {
    this.#stopped = true;
  }

  /** What was asked and answered, once the test is over. */
  get trials() {
    return this.done ? [...this.#trials] : [];
  }

  /** How the test stands, in words; the score only at the end. */
  get told() {
    if (!this.done) return `Trial ${this.answered + 1} of ${this.planned}.`;
    const right = this.#trials.filter(({ x, answer }) => x === answer).length;
    if (!this.answered) return "Stopped before the first answer.";
    const p = guessedAtLeast(right, this.answered);
    const early = this.answered < this.planned ? ` Stopped after ${this.answered} of ${this.planned}.` : "";
    return `${right} of ${this.answered} right, ${toldProbability(p)}: ${p < 0.05 ? "you hear a difference" : "no better than guessing could be"}.${early}`;
  }
}

function toldProbability(p) {
  return p < 0.001 ? "p < 0.001" : `p = ${Number(p.toPrecision(2))}`;
}
