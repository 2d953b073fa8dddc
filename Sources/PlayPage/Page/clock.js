// When the next step is taken, and how fast the frames come.

const kept = 240;

/** The value below which so large a share of the numbers lies. */
export function quantile(numbers, share) {
  if (numbers.length === 0) return NaN;
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

export class Clock {
  framesPerSecond = 10;
  /** Milliseconds from a key to the frame that it made, the newest last. */
  latencies = [];
  /** When the last frames were shown. */
  times = [];
  #isRunning = false;
  #wake = null;
  #pressed = null;

  /**
   * @param wants () => boolean: whether a step is to be taken
   * @param step async () => boolean: takes it; false stops the clock
   */
  constructor(wants, step) { Object.assign(this, { wants, step }); }

  /** Something was pressed, at a time of the page's clock: it is answered at once, whatever the frame rate. */
  press(time) {
    this.#pressed ??= time;
    this.run();
    this.#wake?.();
  }

  async run() {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      let due = performance.now();
      while (this.wants()) {
        const pressed = this.#pressed;
        this.#pressed = null;
        if (!(await this.step())) break;
        this.#shown(pressed);
        due = Math.max(due + 1000 / this.framesPerSecond, performance.now() - 1000);
        await this.#sleep(due - performance.now());
        // A key that came early starts a new beat.
        if (this.#pressed !== null) due = performance.now();
      }
    } finally {
      this.#isRunning = false;
      this.#pressed = null;
    }
  }

  /** Waits for the browser to show the frame, and keeps the times. */
  #shown(pressed) {
    requestAnimationFrame(() => {
      const now = performance.now();
      this.times.push(now);
      if (this.times.length > kept) this.times.shift();
      if (pressed === null) return;
      this.latencies.push(now - pressed);
      if (this.latencies.length > kept) this.latencies.shift();
    });
  }

  #sleep(milliseconds) {
    if (milliseconds <= 0) return;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => { clearTimeout(timer); resolve(); };
    }).finally(() => { this.#wake = null; });
  }

  /** Frames a second over the last two seconds. */
  get rate() {
    const now = performance.now();
    const recent = this.times.filter((time) => now - time < 2000);
    if (recent.length < 2) return 0;
    return ((recent.length - 1) * 1000) / (recent[recent.length - 1] - recent[0]);
  }
}
