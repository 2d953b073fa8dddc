// Pixels and charts on canvases.

/** RGB bytes as the picture of a canvas. */
export function paint(canvas, pixels, width, height) {
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const image = new ImageData(width, height);
  for (let from = 0, to = 0; from < pixels.length; from += 3, to += 4) {
    image.data[to] = pixels[from];
    image.data[to + 1] = pixels[from + 1];
    image.data[to + 2] = pixels[from + 2];
    image.data[to + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Lays a chart over the frame: tokens as colours that tell them apart, all else from sure (clear) to unsure (red). */
export function drawChart(canvas, chart, name) {
  canvas.hidden = chart === null;
  if (!chart) return;
  [canvas.width, canvas.height] = [chart.columns, chart.rows];
  const context = canvas.getContext("2d");
  for (let cell = 0; cell < chart.values.length; cell += 1) {
    const value = chart.values[cell];
    // The golden angle sets neighbouring codes far apart.
    context.fillStyle = name === "tokens"
      ? `hsl(${(value * 137.508) % 360} 70% 50% / 0.55)`
      : `hsl(0 90% 50% / ${Math.max(0, Math.min(0.85, name === "confidence" ? 1 - value : value)).toFixed(3)})`;
    context.fillRect(cell % chart.columns, Math.floor(cell / chart.columns), 1, 1);
  }
}
