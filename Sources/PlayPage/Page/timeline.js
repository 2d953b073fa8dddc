// The episode from its first frame to its last: where one is, what was earned, and how sure the world was.

export class Timeline {
  constructor(element, onmove) {
    this.range = element.querySelector("input");
    this.canvas = element.querySelector("canvas");
    this.label = element.querySelector("output");
    this.range.addEventListener("input", () => onmove(Number(this.range.value)));
  }

  update(episode) {
    const { frames, shown } = episode;
    this.range.max = String(Math.max(0, frames.length - 1));
    this.range.value = String(shown);
    this.range.disabled = frames.length < 2;
    this.label.textContent = `frame ${shown} of ${frames.length - 1}`;
    this.range.setAttribute("aria-valuetext", this.label.textContent);
    this.#draw(frames, shown);
  }

  #draw(frames, shown) {
    const style = getComputedStyle(this.canvas);
    const ratio = devicePixelRatio || 1;
    const [width, height] = [this.canvas.clientWidth * ratio, this.canvas.clientHeight * ratio];
    if (width === 0) return;
    if (this.canvas.width !== width) [this.canvas.width, this.canvas.height] = [width, height];
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, width, height);
    const x = (number) => (frames.length < 2 ? 0 : (number / (frames.length - 1)) * (width - 2)) + 1;
    // How unsure the world was of what it drew: high where it breaks.
    const doubts = frames.map((frame) => -frame.logLikelihood);
    const highest = Math.max(0.25, ...doubts.filter(Number.isFinite));
    context.beginPath();
    doubts.forEach((doubt, number) => {
      if (Number.isFinite(doubt)) context.lineTo(x(number), height - (doubt / highest) * (height - 4) - 1);
    });
    context.strokeStyle = style.getPropertyValue("--other");
    context.lineWidth = ratio;
    context.stroke();
    frames.forEach((frame, number) => {
      const isEnd = frame.terminated || frame.truncated;
      if (!isEnd && frame.reward === 0) return;
      context.fillStyle = style.getPropertyValue(isEnd || frame.reward < 0 ? "--warn" : "--accent");
      context.fillRect(x(number) - 1.5 * ratio, 0, 3 * ratio, height);
    });
    context.fillStyle = style.getPropertyValue("--ink");
    context.fillRect(x(shown) - ratio / 2, 0, ratio, height);
  }
}
