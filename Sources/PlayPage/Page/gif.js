// Writes animated GIFs (89a): one palette for all frames, and of each frame only the rectangle that changed.

/** @param {Uint8Array[]} frames [height, width, 3] each; @returns {Uint8Array} the file */
export function encodeGIF(frames, width, height, { scale = 1, delay = 10 } = {}) {
  const { palette, index } = quantize(frames);
  const out = [];
  const short = (value) => out.push(value & 255, value >> 8);
  for (const letter of "GIF89a") out.push(letter.charCodeAt(0));
  short(width * scale);
  short(height * scale);
  out.push(0xf7, 0, 0, ...palette);
  for (const byte of [0x21, 0xff, 11, ..."NETSCAPE2.0"].map((x) => (typeof x === "string" ? x.charCodeAt(0) : x))) {
    out.push(byte);
  }
  out.push(3, 1, 0, 0, 0);
  let before = null;
  for (const frame of frames) {
    const pixels = index(frame);
    const box = changed(before, pixels, width, height);
    out.push(0x21, 0xf9, 4, 4);
    short(delay);
    out.push(0, 0, 0x2c);
    for (const side of [box.left, box.top, box.width, box.height]) short(side * scale);
    out.push(0);
    compress(enlarged(pixels, width, box, scale), out);
    before = pixels;
  }
  out.push(0x3b);
  return Uint8Array.from(out);
}

/** The smallest rectangle outside of which nothing changed; never empty. */
function changed(before, after, width, height) {
  if (!before) return { left: 0, top: 0, width, height };
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if (before[y * width + x] === after[y * width + x]) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    }
  }
  if (right < 0) return { left: 0, top: 0, width: 1, height: 1 };
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

function enlarged(pixels, width, box, scale) {
  const result = new Uint8Array(box.width * box.height * scale * scale);
  let to = 0;
  for (let y = 0; y < box.height * scale; y += 1) {
    const row = (box.top + Math.floor(y / scale)) * width + box.left;
    for (let x = 0; x < box.width * scale; x += 1, to += 1) result[to] = pixels[row + Math.floor(x / scale)];
  }
  return result;
}

/** Median cut over colours of 5 bits a channel. */
function quantize(frames) {
  const sums = new Map();
  for (const pixels of frames) {
    for (let i = 0; i < pixels.length; i += 3) {
      const key = ((pixels[i] >> 3) << 10) | ((pixels[i + 1] >> 3) << 5) | (pixels[i + 2] >> 3);
      const sum = sums.get(key);
      if (sum) {
        for (let c = 0; c < 3; c += 1) sum[c] += pixels[i + c];
        sum[3] += 1;
      } else sums.set(key, [pixels[i], pixels[i + 1], pixels[i + 2], 1, key]);
    }
  }
  const mean = (sum, channel) => sum[channel] / sum[3];
  const weigh = (box) => {
    let [widest, channel] = [-1, 0];
    for (let c = 0; c < 3; c += 1) {
      const values = box.map((sum) => mean(sum, c));
      const range = Math.max(...values) - Math.min(...values);
      if (range > widest) [widest, channel] = [range, c];
    }
    const count = box.reduce((total, sum) => total + sum[3], 0);
    return { box, channel, worth: box.length > 1 ? widest * Math.sqrt(count) : -1 };
  };
  const boxes = [weigh([...sums.values()])];
  while (boxes.length < 256) {
    let best = 0;
    for (let i = 1; i < boxes.length; i += 1) if (boxes[i].worth > boxes[best].worth) best = i;
    const { box, channel, worth } = boxes[best];
    if (worth < 0) break;
    box.sort((a, b) => mean(a, channel) - mean(b, channel));
    const half = box.reduce((total, sum) => total + sum[3], 0) / 2;
    let [cut, seen] = [0, 0];
    while (cut < box.length - 1 && (seen < half || cut === 0)) seen += box[cut++][3];
    boxes.splice(best, 1, weigh(box.slice(0, cut)), weigh(box.slice(cut)));
  }
  const palette = new Uint8Array(768);
  const indices = new Uint8Array(32768);
  boxes.forEach(({ box }, number) => {
    const count = box.reduce((total, sum) => total + sum[3], 0);
    for (let c = 0; c < 3; c += 1) {
      palette[3 * number + c] = Math.round(box.reduce((total, sum) => total + sum[c], 0) / count);
    }
    for (const sum of box) indices[sum[4]] = number;
  });
  const index = (pixels) => {
    const result = new Uint8Array(pixels.length / 3);
    for (let i = 0, from = 0; i < result.length; i += 1, from += 3) {
      result[i] = indices[((pixels[from] >> 3) << 10) | ((pixels[from + 1] >> 3) << 5) | (pixels[from + 2] >> 3)];
    }
    return result;
  };
  return { palette, index };
}

/** LZW with codes of 9 to 12 bits, in blocks of 255 bytes. */
function compress(pixels, out) {
  const [clear, end] = [256, 257];
  let [size, next, bits, filled] = [9, 258, 0, 0];
  let block = [];
  let table = new Map();
  out.push(8);
  const flush = () => {
    if (block.length) out.push(block.length, ...block);
    block = [];
  };
  const write = (code) => {
    bits |= code << filled;
    filled += size;
    while (filled >= 8) {
      block.push(bits & 255);
      if (block.length === 255) flush();
      bits >>>= 8;
      filled -= 8;
    }
  };
  write(clear);
  let prefix = pixels[0];
  for (let i = 1; i < pixels.length; i += 1) {
    const key = (prefix << 8) | pixels[i];
    const known = table.get(key);
    if (known !== undefined) {
      prefix = known;
      continue;
    }
    write(prefix);
    if (next < 4096) {
      table.set(key, next);
      if (next === 1 << size && size < 12) size += 1;
      next += 1;
    } else {
      write(clear);
      table = new Map();
      [size, next] = [9, 258];
    }
    prefix = pixels[i];
  }
  write(prefix);
  write(end);
  if (filled > 0) block.push(bits & 255);
  flush();
  out.push(0);
}
