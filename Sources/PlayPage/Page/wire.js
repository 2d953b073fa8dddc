// The conversation with the server: every request gets one answer, in order.

/** A request that the server would not meet; the message is meant for a person. */
export class Refusal extends Error {}

export class Wire {
  /** Called once, when the connection is gone. */
  onclose = () => {};
  #socket;
  #waiting = [];

  /** Connects and asks what there is to play. */
  static async connect() {
    const wire = new Wire();
    wire.#socket = new WebSocket(`ws://${location.host}/play`);
    wire.#socket.binaryType = "arraybuffer";
    await new Promise((resolve, reject) => {
      wire.#socket.onopen = resolve;
      wire.#socket.onerror = () => reject(new Refusal("The server does not answer."));
    });
    wire.#socket.onmessage = (event) => wire.#receive(event.data);
    wire.#socket.onerror = null;
    wire.#socket.onclose = () => wire.#end();
    const { welcome } = await wire.ask("hello");
    Wire.frameBytes = welcome.height * welcome.width * 3;
    return [wire, welcome];
  }

  ask(what, fields = {}) {
    return this.#send(JSON.stringify({ ask: what, ...fields }));
  }

  /** @param {number|null} action null leaves the choice to the world's player */
  step(world, action) {
    const view = new DataView(new ArrayBuffer(4));
    view.setUint8(0, 1);
    view.setUint8(1, world);
    view.setInt16(2, action ?? -1, true);
    return this.#send(view.buffer);
  }

  /** @param {Uint8Array} pixels [height, width, 3] of one picture */
  startFrom(world, seed, pixels) {
    const bytes = new Uint8Array(8 + pixels.length);
    bytes.set([2, world, 1, 0]);
    new DataView(bytes.buffer).setUint32(4, seed, true);
    bytes.set(pixels, 8);
    return this.#send(bytes.buffer);
  }

  #send(message) {
    return new Promise((resolve, reject) => {
      if (this.#socket.readyState !== WebSocket.OPEN) return reject(new Refusal("The server is gone."));
      this.#waiting.push({ resolve, reject });
      this.#socket.send(message);
    });
  }

  #receive(data) {
    const asker = this.#waiting.shift();
    if (typeof data !== "string") return asker?.resolve(decode(data));
    const answer = JSON.parse(data);
    if (answer.error === undefined) return asker?.resolve(answer);
    if (asker) asker.reject(new Refusal(answer.error));
    else this.refusal = answer.error;
  }

  #end() {
    for (const { reject } of this.#waiting) reject(new Refusal(this.refusal ?? "The server is gone."));
    this.#waiting = [];
    this.onclose();
  }
}

/** Reads what the page uses of a frame or a sheet (see Reply.swift for the layout). */
function decode(buffer) {
  const view = new DataView(buffer);
  if (view.getUint8(0) === 2) {
    return { rows: view.getUint16(2, true), columns: view.getUint16(4, true), pixels: new Uint8Array(buffer, 8) };
  }
  const flags = view.getUint8(2);
  const count = view.getUint8(3);
  const float = (offset) => view.getFloat32(offset, true);
  const floats = (offset, length) => Float32Array.from({ length }, (_, index) => float(offset + 4 * index));
  const frame = {
    terminated: (flags & 1) !== 0,
    truncated: (flags & 2) !== 0,
    action: view.getInt32(8, true),
    reward: float(12),
    logLikelihood: float(16),
    entropy: float(20),
    value: float(24),
    probabilities: floats(32, count),
    chart: null,
  };
  const start = 32 + 4 * count;
  let end = buffer.byteLength;
  if (flags & 8) {
    const size = Wire.frameBytes;
    const [rows, columns] = [view.getUint16(start + size, true), view.getUint16(start + size + 2, true)];
    frame.chart = { rows, columns, values: floats(start + size + 4, rows * columns) };
    end = start + size;
  }
  frame.pixels = new Uint8Array(buffer.slice(start, end));
  return frame;
}
