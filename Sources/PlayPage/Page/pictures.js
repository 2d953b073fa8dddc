// Pictures to start from: dropped, pasted, chosen, or levels of the world.

import { Refusal } from "./wire.js";
import { paint } from "./canvas.js";

const fileLimit = 64 << 20;
const pixelLimit = 100e6;

/** What of a picture has the world's proportions, in the middle, at the world's size. */
async function worldSized(source, width, height) {
  const scale = Math.max(width / source.width, height / source.height);
  const [w, h] = [width / scale, height / scale];
  const [x, y] = [(source.width - w) / 2, (source.height - h) / 2];
  // Pixel art of a whole multiple of the size keeps its pixels; all else is averaged.
  const isMultiple = Number.isInteger(1 / scale) || scale >= 1;
  const small = await createImageBitmap(source, x, y, w, h, {
    resizeWidth: width, resizeHeight: height, resizeQuality: isMultiple ? "pixelated" : "high",
  });
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillRect(0, 0, width, height);
  context.drawImage(small, 0, 0);
  small.close();
  const { data } = context.getImageData(0, 0, width, height);
  return Uint8Array.from({ length: width * height * 3 }, (_, i) => data[Math.floor(i / 3) * 4 + (i % 3)]);
}

/** Reads a picture's file. */
export async function readPicture(file, width, height) {
  if (file.size > fileLimit) throw new Refusal(`${file.name}: larger than ${fileLimit >> 20} MB.`);
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Refusal(`${file.name || "This"}: not a picture that this browser can read.`);
  }
  try {
    if (bitmap.width * bitmap.height > pixelLimit) throw new Refusal(`${file.name}: too many pixels.`);
    return await worldSized(bitmap, width, height);
  } finally {
    bitmap.close();
  }
}

/** Hands every file that is dropped on the page, pasted into it or chosen to `use`. */
export function receiveFiles(input, use) {
  const first = (list) => [...(list ?? [])][0];
  addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) document.body.classList.remove("dropping");
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    const file = first(event.dataTransfer.files);
    if (file) use(file);
  });
  addEventListener("paste", (event) => {
    const file = first(event.clipboardData.files);
    if (file) use(file);
  });
  input.addEventListener("change", () => {
    const file = first(input.files);
    if (file) use(file);
    input.value = "";
  });
}

/** The first frames of levels, as buttons; more come on demand. */
export class Gallery {
  static page = 16;
  /** [level, pixels] */
  levels = [];

  constructor(wire, welcome, element, more, choose) {
    Object.assign(this, { wire, welcome, element, more, choose });
    more.addEventListener("click", () => this.load().catch((error) => this.onerror(error)));
  }

  onerror = () => {};

  async load() {
    const { width, height } = this.welcome;
    const first = this.levels.length;
    // The next ones begin where these end.
    this.more.disabled = true;
    const sheet = await this.wire.ask("gallery", { first, count: Gallery.page })
      .finally(() => { this.more.disabled = false; });
    const size = width * height * 3;
    for (let row = 0; row < sheet.rows; row += 1) {
      const level = first + row;
      const pixels = sheet.pixels.slice(row * size, (row + 1) * size);
      this.levels.push([level, pixels]);
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-label", `Start in level ${level}`);
      const canvas = document.createElement("canvas");
      paint(canvas, pixels, width, height);
      button.append(canvas);
      button.addEventListener("click", () => this.choose(level));
      this.element.append(button);
    }
    this.more.hidden = sheet.rows < Gallery.page;
  }
}
