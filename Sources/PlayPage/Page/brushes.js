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

const colour = (bytes, index) => (bytes[index] << 16) | (bytes[index + 1] << 8) | bytes[index + 2];

/** Half a tile to the side, round the edge: repeating patterns would else be offered twice. */
function shifted(tile, size) {
  const result = new Uint8Array(tile.length);
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      const from = (y * size + ((x + (size >> 1)) % size)) * 3;
      result.set(tile.subarray(from, from + 3), (y * size + x) * 3);
    }
  }
  return result;
}

/** @param {Uint8Array[]} frames; @returns {{tiles: Uint8Array[], colours: number[]}} the commonest first */
export function findBrushes(frames, width, height, { tiles: tileCount = 24, colours: colourCount = 12 } = {}) {
  const size = tileSize(width);
  const step = Math.max(1, size >> 1);
  const tiles = new Map();
  const colours = new Map();
  for (const frame of frames) {
    for (let i = 0; i < frame.length; i += 3) {
      const key = colour(frame, i);
      colours.set(key, (colours.get(key) ?? 0) + 1);
    }
    for (let top = 0; top + size <= height; top += size) {
      for (let left = 0; left + size <= width; left += step) {
        const tile = tileAt(frame, width, left, top, size);
        const key = tile.join();
        const known = tiles.get(key);
        if (known) known.count += 1;
        else tiles.set(key, { tile, key, count: 1 });
      }
    }
  }
  const chosen = [];
  const seen = new Set();
  for (const { tile, key, count } of [...tiles.values()].sort((a, b) => b.count - a.count)) {
    if (count < 2 || chosen.length === tileCount) break;
    if (seen.has(key)) continue;
    seen.add(key).add(shifted(tile, size).join());
    chosen.push(tile);
  }
  const common = [...colours].sort((a, b) => b[1] - a[1]).slice(0, colourCount).map(([key]) => key);
  return { tiles: chosen, colours: common };
}

export const css = (key) => `#${key.toString(16).padStart(6, "0")}`;
