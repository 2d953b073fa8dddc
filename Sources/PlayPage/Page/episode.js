// One world on the page: its frames so far, the one that is shown, and the canvas that shows it.

import { drawChart, paint } from "./canvas.js";

export const newSeed = () => Math.floor(Math.random() * 2 ** 32);

/** The turns that an episode goes on with from a frame: the numbers stay as they were turned last, also after that frame. */
const turnsFrom = ({ turns, tuning }, number) => [
  ...turns.filter(([step]) => step < number),
  ...(Object.keys(tuning).length ? [[number, { ...tuning }]] : []),
];

export class Episode {
  /** Called whenever another frame is shown, or another comes. */
  onchange = () => {};
  frames = [];
  /** Index of the frame that is shown. */
  shown = 0;
  /** How the episode began: a seed and a level or a picture; replays need it. */
  origin = null;
  chart = null;
  player = null;
  tuning = {};
  /** [number of the step before which they were turned, values] */
  turns = [];
  #queue = Promise.resolve();

  constructor(wire, welcome, world, element) {
    Object.assign(this, { wire, welcome, world, element });
    this.canvas = element.querySelector(".frame");
    this.overlay = element.querySelector(".chart");
    this.caption = element.querySelector("figcaption");
  }

  get last() { return this.frames[this.frames.length - 1]; }
  get frame() { return this.frames[this.shown]; }
  get hasEnded() { return this.last !== undefined && (this.last.terminated || this.last.truncated); }
  get isAtEnd() { return this.shown === this.frames.length - 1; }
  get total() { return this.frames.slice(0, this.shown + 1).reduce((sum, frame) => sum + frame.reward, 0); }

  /** One request at a time: what is asked while another is on its way waits for it. */
  #inTurn(work) {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => {});
    return result;
  }

  /** @param origin {seed, level} or {seed, pixels} */
  start(origin) {
    return this.#inTurn(async () => {
      const seed = origin.seed ?? newSeed();
      const frame = origin.pixels
        ? await this.wire.startFrom(this.world, seed, origin.pixels)
        : await this.wire.ask("start", { world: this.world, seed, level: origin.level });
      this.origin = { ...origin, seed };
      this.turns = Object.keys(this.tuning).length ? [[0, { ...this.tuning }]] : [];
      this.frames = [frame];
      this.show(0);
    });
  }

  /** Takes a step from the frame that is shown: from an earlier one, what came after it is forgotten. */
  step(action) {
    return this.#inTurn(async () => {
      if (!this.isAtEnd) await this.#rewind(this.shown);
      if (this.hasEnded) return null;
      const frame = await this.wire.step(this.world, action);
      this.frames.push(frame);
      this.show(this.frames.length - 1);
      return frame;
    });
  }

  rewind(number) { return this.#inTurn(() => this.#rewind(number)); }

  async #rewind(number) {
    const frame = await this.wire.ask("rewind", { world: this.world, frame: number });
    this.frames.length = number;
    this.frames.push(frame);
    this.turns = turnsFrom(this, number);
    this.show(number);
  }

  /** Becomes the continuation of another episode from the frame that it shows. */
  branch(other) {
    return this.#inTurn(async () => {
      const number = other.shown;
      const frame = await this.wire.ask("branch", { from: other.world, to: this.world, frame: number });
      this.origin = other.origin;
      this.turns = turnsFrom(other, number);
      [this.chart, this.player, this.tuning] = [other.chart, other.player, { ...other.tuning }];
      this.frames = [...other.frames.slice(0, number), frame];
      this.show(number);
    });
  }

  close() { return this.#inTurn(() => this.wire.ask("close", { world: this.world })); }

  /** Changes something of the world and shows its newest frame as it is then. */
  change(what, name) {
    return this.#inTurn(async () => {
      const frame = await this.wire.ask(what, { world: this.world, ...(name ? { name } : {}) });
      this[what] = name || null;
      this.frames[this.frames.length - 1] = frame;
      this.show(this.shown);
    });
  }

  tune(values) {
    return this.#inTurn(async () => {
      await this.wire.ask("tune", { world: this.world, values });
      Object.assign(this.tuning, values);
      this.turns.push([this.frames.length - 1, { ...values }]);
    });
  }

  show(index) {
    this.shown = Math.max(0, Math.min(index, this.frames.length - 1));
    const { width, height } = this.welcome;
    paint(this.canvas, this.frame.pixels, width, height);
    drawChart(this.overlay, this.frame.chart, this.chart);
    this.onchange(this);
  }
}

/** Pixels of two frames that are not the same. */
export function difference(one, other) {
  let count = 0;
  for (let i = 0; i < one.length; i += 3) {
    if (one[i] !== other[i] || one[i + 1] !== other[i + 1] || one[i + 2] !== other[i + 2]) count += 1;
  }
  return count;
}
