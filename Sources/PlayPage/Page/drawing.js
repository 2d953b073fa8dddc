// A small canvas with the world's own tiles and colours as brushes.

import { css, findBrushes, tileAt, tileSize } from "./brushes.js";
import { paint } from "./canvas.js";

export class Drawing {
  /** A tile, or the number of a colour. */
  #brush = null;
  #pixels;
  #undone = [];

  /** @param use (pixels) => void: steps into the picture */
  constructor(welcome, dialog, use) {
    Object.assign(this, { welcome, dialog });
    this.canvas = dialog.querySelector("canvas.paper");
    this.palette = dialog.querySelector(".brushes");
    this.size = tileSize(welcome.width);
    this.#pixels = new Uint8Array(welcome.width * welcome.height * 3);
    const on = (selector, action) => dialog.querySelector(selector).addEventListener("click", action);
    on(".step-inside", () => {
      dialog.close();
      use(this.#pixels.slice());
    });
    on(".cancel", () => dialog.close());
    on(".undo", () => this.#undo());
    on(".clear", () => {
      this.#keep();
      for (let top = 0; top < welcome.height; top += this.size) {
        for (let left = 0; left < welcome.width; left += this.size) this.#stamp(left, top);
      }
      this.#paint();
    });
    this.canvas.addEventListener("pointerdown", (event) => this.#begin(event));
    this.canvas.addEventListener("pointermove", (event) => {
      if (event.buttons & 1) this.#draw(event);
    });
    this.canvas.addEventListener("contextmenu", (event) => {
      event.preventDefault();
      this.#pick(event);
    });
    this.canvas.addEventListener("keydown", (event) => this.#move(event));
  }

  /** @param pixels to begin with; @param frames where more brushes are found, if any have come */
  open(pixels, frames) {
    const { width, height } = this.welcome;
    this.#pixels = pixels.slice();
    this.#undone = [];
    this.cursor = [0, 0];
    const { tiles, colours } = findBrushes([pixels, ...frames], width, height);
    this.palette.replaceChildren(
      ...tiles.map((tile, index) => this.#button(tile, `Tile ${index + 1}`)),
      ...colours.map((key) => this.#button(key, `Colour ${css(key)}`)));
    this.palette.firstElementChild?.click();
    this.#paint();
    this.dialog.showModal();
  }

  #button(brush, label) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", label);
    const canvas = document.createElement("canvas");
    if (typeof brush === "number") {
      [canvas.width, canvas.height] = [1, 1];
      const context = canvas.getContext("2d");
      context.fillStyle = css(brush);
      context.fillRect(0, 0, 1, 1);
      button.classList.add("colour");
    } else paint(canvas, brush, this.size, this.size);
    button.append(canvas);
    button.addEventListener("click", () => {
      this.#brush = brush;
      for (const other of this.palette.children) other.setAttribute("aria-pressed", String(other === button));
    });
    return button;
  }

  #keep() {
    this.#undone.push(this.#pixels.slice());
    if (this.#undone.length > 50) this.#undone.shift();
  }

  #undo() {
    const before = this.#undone.pop();
    if (before) this.#pixels = before;
    this.#paint();
  }

  #place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [
      Math.floor(((event.clientX - box.left) / box.width) * this.welcome.width),
      Math.floor(((event.clientY - box.top) / box.height) * this.welcome.height),
    ];
  }

  #begin(event) {
    if (event.button !== 0) return;
    if (event.altKey) return this.#pick(event);
    this.canvas.setPointerCapture(event.pointerId);
    this.#keep();
    this.#draw(event);
  }

  #draw(event) {
    const [x, y] = this.#place(event);
    if (typeof this.#brush === "number") this.#dot(x, y);
    else this.#stamp(this.#snapped(x, this.size >> 1), this.#snapped(y, this.size));
    this.#paint();
  }

  #snapped(at, grid) { return Math.floor(at / grid) * grid; }

  /** Takes the tile under the pointer as the brush: the hero, say. */
  #pick(event) {
    const [x, y] = this.#place(event);
    const { width, height } = this.welcome;
    const left = Math.min(this.#snapped(x, this.size >> 1), width - this.size);
    const top = Math.min(this.#snapped(y, this.size >> 1), height - this.size);
    const button = this.#button(tileAt(this.#pixels, width, left, top, this.size), "Picked tile");
    this.palette.prepend(button);
    button.click();
  }

  #dot(x, y) {
    const { width, height } = this.welcome;
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    this.#pixels.set([this.#brush >> 16, (this.#brush >> 8) & 255, this.#brush & 255], (y * width + x) * 3);
  }

  #stamp(left, top) {
    const { width, height } = this.welcome;
    for (let y = Math.max(0, top); y < Math.min(height, top + this.size); y += 1) {
      for (let x = Math.max(0, left); x < Math.min(width, left + this.size); x += 1) {
        if (typeof this.#brush === "number") this.#dot(x, y);
        else {
          const from = ((y - top) * this.size + x - left) * 3;
          this.#pixels.set(this.#brush.subarray(from, from + 3), (y * width + x) * 3);
        }
      }
    }
  }

  /** Without a pointer: arrows move by a tile, space or enter draws. */
  #move(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (steps[event.key]) {
      const { width, height } = this.welcome;
      const [x, y] = this.cursor.map((at, axis) => at + steps[event.key][axis] * this.size);
      this.cursor = [Math.max(0, Math.min(width - this.size, x)), Math.max(0, Math.min(height - this.size, y))];
    } else if (event.key === " " || event.key === "Enter") {
      this.#keep();
      this.#stamp(...this.cursor);
    } else return;
    event.preventDefault();
    this.#paint(true);
  }

  #paint(withCursor = false) {
    paint(this.canvas, this.#pixels, this.welcome.width, this.welcome.height);
    if (!withCursor) return;
    const context = this.canvas.getContext("2d");
    context.strokeStyle = "#fff";
    context.strokeRect(this.cursor[0] + 0.5, this.cursor[1] + 0.5, this.size - 1, this.size - 1);
  }
}
