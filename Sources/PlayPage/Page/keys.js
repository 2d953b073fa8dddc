// Which action the pressed keys and buttons mean.

const directions = {
  ArrowLeft: "left", KeyA: "left", ArrowRight: "right", KeyD: "right",
  ArrowUp: "up", KeyW: "up", Space: "up", ArrowDown: "down", KeyS: "down",
};
const words = {
  left: "left", right: "right", up: "up", jump: "up", fly: "up", rise: "up", down: "down", duck: "down",
  fall: "down",
};
const idle = new Set(["noop", "nothing", "still", "none", "stay", "idle", "wait"]);

/** Directions in an action's name: `jump-right` is up and right. */
function directionsOf(name) {
  return new Set(name.toLowerCase().split(/[^a-z]+/).flatMap((word) => words[word] ?? []));
}

export class Keys {
  /** Actions and directions that are held down, the latest last. */
  #held = [];
  /** An action that was pressed and let go before a step could be taken. */
  #tapped = null;

  /** @param {string[]} names of the actions; may be empty */
  constructor(names, count) {
    this.count = count;
    this.meanings = names.map(directionsOf);
    const index = names.findIndex((name) => idle.has(name.toLowerCase()));
    this.idle = index < 0 ? null : index;
    this.hasDirections = this.meanings.some((meaning) => meaning.size > 0);
  }

  /** What a key of the keyboard stands for: an action's number, a direction, or nothing. */
  meaning(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return null;
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
    if (digit) return Number(digit[1]) <= this.count ? Number(digit[1]) - 1 : null;
    return this.hasDirections ? directions[event.code] ?? null : null;
  }

  press(meaning) {
    this.release(meaning);
    this.#held.push(meaning);
    this.#tapped = this.held;
  }

  release(meaning) { this.#held = this.#held.filter((other) => other !== meaning); }

  releaseAll() {
    this.#held = [];
    this.#tapped = null;
  }

  /** The action that is held down now, or null. */
  get held() {
    const action = this.#held.findLast((meaning) => typeof meaning === "number");
    if (action !== undefined) return action;
    const chord = new Set(this.#held);
    if (chord.size === 0) return null;
    let best = null;
    this.meanings.forEach((meaning, index) => {
      if (meaning.size === 0 || ![...meaning].every((direction) => chord.has(direction))) return;
      if (best === null || meaning.size > this.meanings[best].size) best = index;
    });
    return best;
  }

  /** Whether a step would have an action of a person. */
  get isPressed() { return this.#tapped !== null || this.held !== null; }

  /** The action of the next step; a tap counts once. */
  take() {
    const action = this.held ?? this.#tapped;
    this.#tapped = null;
    return action;
  }
}
