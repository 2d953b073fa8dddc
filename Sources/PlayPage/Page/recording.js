// What an episode leaves behind: a GIF, a film, a sheet of pictures, and the log that replays it.

import { encodeGIF } from "./gif.js";
import { Refusal } from "./wire.js";
import { paint } from "./canvas.js";

const format = "genie-episode-1";

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return blob;
}

const base64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/** Frames of one or two episodes side by side, as one picture each; the shorter one stands still at its end. */
export function together(episodes) {
  const { width, height } = episodes[0].welcome;
  const count = Math.max(...episodes.map((episode) => episode.frames.length));
  const gap = episodes.length > 1 ? 2 : 0;
  const wide = episodes.length * width + gap * (episodes.length - 1);
  const frames = Array.from({ length: count }, (_, number) => {
    if (episodes.length === 1) return episodes[0].frames[number].pixels;
    const picture = new Uint8Array(wide * height * 3).fill(24);
    episodes.forEach((episode, column) => {
      const { pixels } = episode.frames[Math.min(number, episode.frames.length - 1)];
      for (let y = 0; y < height; y += 1) {
        const row = pixels.subarray(y * width * 3, (y + 1) * width * 3);
        picture.set(row, (y * wide + column * (width + gap)) * 3);
      }
    });
    return picture;
  });
  return { frames, width: wide, height };
}

export function saveGIF(episodes, framesPerSecond) {
  const { frames, width, height } = together(episodes);
  const scale = Math.max(1, Math.round(256 / height));
  const bytes = encodeGIF(frames, width, height, { scale, delay: Math.max(2, Math.round(100 / framesPerSecond)) });
  return save(new Blob([bytes], { type: "image/gif" }), "genie.gif");
}

/** Up to 64 frames, evenly chosen, in rows of eight. */
export async function saveSheet(episodes) {
  const { frames, width, height } = together(episodes);
  const count = Math.min(64, frames.length);
  const columns = Math.min(8, count);
  const [scale, gap] = [2, 4];
  const canvas = new OffscreenCanvas(
    gap + columns * (width * scale + gap), gap + Math.ceil(count / columns) * (height * scale + gap));
  const context = canvas.getContext("2d");
  context.fillStyle = "#18181c";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingEnabled = false;
  const small = new OffscreenCanvas(width, height);
  for (let cell = 0; cell < count; cell += 1) {
    const number = count === 1 ? 0 : Math.round((cell * (frames.length - 1)) / (count - 1));
    paint(small, frames[number], width, height);
    const x = gap + (cell % columns) * (width * scale + gap);
    const y = gap + Math.floor(cell / columns) * (height * scale + gap);
    context.drawImage(small, x, y, width * scale, height * scale);
  }
  return save(await canvas.convertToBlob({ type: "image/png" }), "genie.png");
}

/** What this browser can record, the widest known first. */
export function filmType() {
  if (typeof MediaRecorder === "undefined") return null;
  const types = ["video/mp4;codecs=avc1.42E01E", "video/mp4;codecs=vp9", "video/webm;codecs=vp9", "video/webm"];
  return types.find((type) => MediaRecorder.isTypeSupported(type)) ?? null;
}

/** Plays the frames once into the browser's recorder: takes as long as the film. */
export async function saveFilm(episodes, framesPerSecond, progress) {
  const type = filmType();
  if (!type) throw new Refusal("This browser records no video; the GIF holds the same frames.");
  const { frames, width, height } = together(episodes);
  const scale = Math.max(1, Math.round(512 / height));
  const small = new OffscreenCanvas(width, height);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width * scale, height * scale];
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  const stream = canvas.captureStream(framesPerSecond);
  const recorder = new MediaRecorder(stream, { mimeType: type, videoBitsPerSecond: 8e6 });
  const parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  const ended = new Promise((resolve, reject) => {
    recorder.onstop = resolve;
    recorder.onerror = () => reject(new Refusal("The browser could not record the film."));
  });
  recorder.start();
  for (let number = 0; number < frames.length; number += 1) {
    paint(small, frames[number], width, height);
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
    progress(number / frames.length);
    await new Promise((resolve) => setTimeout(resolve, 1000 / framesPerSecond));
  }
  recorder.stop();
  await ended;
  for (const track of stream.getTracks()) track.stop();
  return save(new Blob(parts, { type }), type.startsWith("video/mp4") ? "genie.mp4" : "genie.webm");
}

/** Everything that makes the episode again, frame by frame. */
export function logOf(episode) {
  const { pixels, ...origin } = episode.origin;
  return {
    format, world: episode.welcome.name, ...origin, ...(pixels ? { picture: base64(pixels) } : {}),
    actions: episode.frames.slice(1).map((frame) => frame.action), tunings: episode.turns,
    rewards: episode.frames.slice(1).map((frame) => frame.reward),
  };
}

export function saveLog(episode) {
  return save(new Blob([JSON.stringify(logOf(episode))], { type: "application/json" }), "genie-episode.json");
}

/** Plays a log again, while `goesOn` says so; it must come from this world. */
export async function replay(text, episode, goesOn) {
  let log;
  try { log = JSON.parse(text); } catch { throw new Refusal("This is no log of an episode."); }
  const { welcome } = episode;
  const isAction = (action) => Number.isInteger(action) && action >= 0 && action < welcome.actions;
  if (log?.format !== format || !Array.isArray(log.actions) || !log.actions.every(isAction)) {
    throw new Refusal("This is no log of an episode.");
  }
  if (log.world !== welcome.name) throw new Refusal(`This log is of ${log.world}, not of ${welcome.name}.`);
  const turns = Array.isArray(log.tunings) ? log.tunings : [];
  const standard = Object.fromEntries(welcome.tunings.map(({ name, standard }) => [name, standard]));
  if (welcome.tunings.length) await episode.tune(standard);
  let pixels;
  try { pixels = log.picture && bytesOf(log.picture); } catch { throw new Refusal("The log's picture is damaged."); }
  await episode.start({ seed: log.seed, level: log.level, ...(pixels ? { pixels } : {}) });
  for (const [number, action] of log.actions.entries()) {
    if (!goesOn()) return;
    for (const [step, values] of turns) if (step === number) await episode.tune(values);
    await episode.step(action);
  }
}
