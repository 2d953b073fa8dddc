// The tiles and colours that a world is made of, found in the first frames of its levels.

/** Side of a tile: an eighth of a frame. */
export const tileSize = (width) => Math.max(2, Math.round(width / 8));

export function tileAt(pixels, width, left, top, size) {
  const tile = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y += 1) {
    const from = ((top + y) * width + left) * 3;
    tile.set(pixels.subarray(from, from + size * 3), y * size * 3);
  }
  return tile;
}

/** Half a tile to the side, round the edge: repeating patterns would else be offered twice. */
function shifted(tile, size) {
  const result = new Float32Array(tile.length);
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      const from = (y * size + ((x + (size >> 1)) % size)) * 3;
      result.set(tile.subarray(from, from + 3), (y * size + x) * 3);
    }
  }
  return result;
}

/** Mean squared difference of two lists of numbers; more than `limit` is not counted to its end. */
function distance(one, other, limit) {
  const most = limit * one.length;
  let sum = 0;
  for (let i = 0; i < one.length && sum <= most; i += 1) sum += (one[i] - other[i]) ** 2;
  return sum / one.length;
}

/** What looks alike counts as one, and is shown as its mean: a dreamt frame repeats nothing to the bit. */
class Kinds {
  all = [];

  constructor(limit) { this.limit = limit; }

  add(value, count = 1) {
    let kind = this.all.find(({ mean }) => distance(mean, value, this.limit) < this.limit);
    if (!kind) this.all.push((kind = { mean: Float32Array.from(value), count: 0 }));
    kind.count += count;
    const share = count / kind.count;
    for (let i = 0; i < value.length; i += 1) kind.mean[i] += share * (value[i] - kind.mean[i]);
  }

  get commonestFirst() { return [...this.all].sort((a, b) => b.count - a.count); }
}

/** @param {Uint8Array[]} frames; @returns {{tiles: Uint8Array[], colours: number[]}} the commonest first */
export function findBrushes(frames, width, height, { tiles: tileCount = 28, colours: colourCount = 14 } = {}) {
  const size = tileSize(width);
  const step = Math.max(1, size >> 1);
  const tiles = new Kinds(150);
  const coarse = new Map();
  for (const frame of frames) {
    for (let i = 0; i < frame.length; i += 3) {
      const key = ((frame[i] >> 4) << 8) | ((frame[i + 1] >> 4) << 4) | (frame[i + 2] >> 4);
      const sum = coarse.get(key) ?? [0, 0, 0, 0];
      for (let channel = 0; channel < 3; channel += 1) sum[channel] += frame[i + channel];
      sum[3] += 1;
      coarse.set(key, sum);
    }
    for (let top = 0; top + size <= height; top += size) {
      for (let left = 0; left + size <= width; left += step) tiles.add(tileAt(frame, width, left, top, size));
    }
  }
  const chosen = [];
  for (const { mean, count } of tiles.commonestFirst) {
    if (count < 2 || chosen.length === tileCount) break;
    const other = shifted(mean, size);
    if (!chosen.some((tile) => distance(tile, other, 300) < 300)) chosen.push(mean);
  }
  const colours = new Kinds(400);
  for (const [r, g, b, n] of [...coarse.values()].sort((a, b) => b[3] - a[3])) colours.add([r / n, g / n, b / n], n);
  return {
    tiles: chosen.map((mean) => Uint8Array.from(mean, Math.round)),
    colours: colours.commonestFirst.slice(0, colourCount)
      .map(({ mean }) => (Math.round(mean[0]) << 16) | (Math.round(mean[1]) << 8) | Math.round(mean[2])),
  };
}

export const css = (key) => `#${key.toString(16).padStart(6, "0")}`;
