import Autograd
import CKernels
import Foundation
import Reporting
import WorldModel

/// Each kernel by itself, in the shapes that the dynamics model gives it, on one thread.
struct EngineBenchmark {
  private let options: BenchmarkOptions
  private let style: ProgressBar.Style
  private let model: DynamicsConfiguration

  init(_ options: BenchmarkOptions, style: ProgressBar.Style) throws {
    self.options = options
    self.style = style
    model = try options.model.configuration().dynamics
  }

  func run() throws -> BenchmarkPart {
    var part = BenchmarkPart(
      name: "engine",
      configuration: [
        "model": .string(options.model.rawValue), "threads": 1, "repeats": .integer(options.repeats),
      ])
    let kernels = products + attentions + elementwise
    let peaks = Precision.allCases.map { PeakRate(workers: Workers(count: 1), precision: $0) }
    let times = try Stopwatch.interleaved(
      "engine", repeats: options.repeats, style: style,
      peaks.map { peak in { peak.measure() } }
        + kernels.map { kernel in { Stopwatch.secondsPerCall(over: 0.01, kernel.run) } })
    let rates = Dictionary(uniqueKeysWithValues: zip(Precision.allCases, peaks.map(\.best)))
    for (precision, rate) in rates.sorted(by: { $0.value < $1.value }) {
      part.append("peak_gflops_\(precision.rawValue)", rate * 1e-9, "GFLOP/s, one thread")
    }
    var table = Table(["kernel", "shape", "us", "GFLOP/s", "of peak", "ns/element"])
    var rows: [JSONValue] = []
    for (kernel, times) in zip(kernels, times.dropFirst(peaks.count)) {
      let result = KernelResult(kernel, seconds: Stopwatch.median(times), peak: rates[kernel.precision]!)
      table.append(result.cells)
      rows.append(result.json)
    }
    part.tables.append(("kernels, one thread", table))
    part.details["kernels"] = .array(rows)
    return part
  }

  /// The matrices of a block and the head: for one frame with packed weights (sampling), for a clip, forward
  /// and both gradients (training); beside OpenBLAS where the machine has it.
  private var products: [Kernel] {
    let (d, inner) = (model.channels, model.headWidth.map { $0 * model.heads } ?? model.channels)
    let shapes = [
      ("qkv", d, 3 * inner), ("out", inner, d), ("up", d, 4 * d), ("down", 4 * d, d),
      ("head", d, model.vocabulary),
    ]
    let library = OpenBLAS()
    let (frame, clip) = (model.tokens, model.tokens * options.time)
    let forFrame = shapes.map { MatrixProduct($0.0, m: frame, n: $0.2, k: $0.1, isPacked: true) }
    let forClip = shapes.map { MatrixProduct($0.0, m: clip, n: $0.2, k: $0.1) }
    let gradients = [
      MatrixProduct("up, of weights", m: d, n: 4 * d, k: clip, transposedA: true),
      MatrixProduct("up, of inputs", m: clip, n: d, k: 4 * d, transposedB: true),
    ]
    return (forFrame + forClip + gradients).flatMap { $0.kernels(library) }
  }

  private var attentions: [Kernel] {
    let (tokens, heads, window, time) = (model.tokens, model.heads, model.window, options.time)
    let size = model.headWidth ?? model.channels / heads
    let width = heads * size
    let scale = 1 / Float(size).squareRoot()
    let qkv = Samples(time * tokens * 3 * width)
    let (out, gradient) = (Samples(time * tokens * width), Samples(time * tokens * 3 * width))
    let bias = Samples(heads * tokens * tokens)
    let spatial = Samples(time * heads * tokens * tokens)
    let scratch = Samples(ck_spatial_attention_scratch(tokens))
    let (near, temporal) = (Samples(heads * window), Samples(tokens * heads * time * window))
    let (keys, values) = (Samples(tokens * width * window), Samples(tokens * width * window))
    let shape = "\(time) x \(tokens) x \(heads) x \(size)"
    let spatialWork = 4 * Double(time * tokens * tokens * width)
    let temporalWork = 4 * Double(time * tokens * min(time, window) * width)
    let cached = Precision.allCases.map { precision in
      Kernel(
        "temporal attention cached, \(precision)", "\(window) x \(tokens) x \(heads) x \(size)",
        flops: 4 * Double(tokens * window * width)
      ) {
        ck_temporal_attention_cached(
          precision.kernel, qkv.at, keys.at, values.at, near.at, out.at, 0, tokens, heads, size, window, scale
        )
      }
    }
    let all = Precision.allCases.flatMap { precision in
      let suffix = precision == .float32 ? "" : ", \(precision)"
      return [
        Kernel(
          "spatial attention\(suffix)", "1 x \(tokens) x \(heads) x \(size)",
          flops: spatialWork / Double(time),
          in: precision
        ) {
          ck_spatial_attention_forward(
            precision.kernel, qkv.at, bias.at, out.at, nil, scratch.at, 1, tokens, 0, tokens, heads, size,
            scale)
        },
        Kernel("spatial attention\(suffix)", shape, flops: spatialWork, in: precision) {
          ck_spatial_attention_forward(
            precision.kernel, qkv.at, bias.at, out.at, spatial.at, scratch.at, time, tokens, 0, tokens, heads,
            size, scale)
        },
        Kernel("spatial attention backward\(suffix)", shape, flops: 2 * spatialWork, in: precision) {
          ck_spatial_attention_backward(
            precision.kernel, qkv.at, spatial.at, out.at, gradient.at, nil, scratch.at, time, tokens, heads,
            size, scale)
        },
      ]
    }
    let overTime = [
      Kernel("temporal attention", shape, flops: temporalWork) {
        ck_temporal_attention_forward(
          qkv.at, near.at, out.at, temporal.at, time, tokens, heads, size, window, scale)
      },
      Kernel("temporal attention backward", shape, flops: 2 * temporalWork) {
        ck_temporal_attention_backward(
          qkv.at, temporal.at, out.at, gradient.at, nil, time, tokens, heads, size, window, scale)
      },
    ]
    return all + overTime + cached
  }

  private var elementwise: [Kernel] {
    let rows = model.tokens * options.time
    let (d, wide, classes) = (model.channels, 4 * model.channels, model.vocabulary)
    let (x, y, dy) = (Samples(rows * wide), Samples(rows * wide), Samples(rows * wide))
    let (mean, deviation) = (Samples(rows), Samples(rows))
    let (gain, bias) = (Samples(d), Samples(d))
    let (logits, dlogits, scratch) = (Samples(rows * classes), Samples(rows * classes), Samples(classes))
    let targets = (0..<rows).map { Int32($0 % classes) }
    let drawn = UnsafeMutableBufferPointer<Int32>.allocate(capacity: rows)
    let (first, second) = (Samples(rows * wide), Samples(rows * wide))
    return [
      Kernel("gelu", "\(rows) x \(wide)", elements: rows * wide) { ck_gelu_forward(x.at, y.at, rows * wide) },
      Kernel("gelu backward", "\(rows) x \(wide)", elements: rows * wide) {
        ck_gelu_backward(x.at, dy.at, y.at, rows * wide)
      },
      Kernel("layer norm", "\(rows) x \(d)", elements: rows * d) {
        ck_layer_norm_forward(x.at, gain.at, bias.at, y.at, mean.at, deviation.at, rows, d, 1e-5)
      },
      Kernel("layer norm backward", "\(rows) x \(d)", elements: rows * d) {
        ck_layer_norm_backward(
          dy.at, x.at, gain.at, mean.at, deviation.at, y.at, gain.at, bias.at, rows, d)
      },
      Kernel("cross-entropy", "\(rows) x \(classes)", elements: rows * classes) {
        _ = ck_cross_entropy(logits.at, targets, nil, 1, dlogits.at, nil, rows, classes)
      },
      Kernel("draw codes", "\(model.tokens) x \(classes)", elements: model.tokens * classes) { [model] in
        ck_sample_rows(
          logits.at, mean.at, 1, 0, drawn.baseAddress!, y.at, deviation.at, scratch.at, model.tokens, classes)
      },
      Kernel("adamw", "\(rows * wide)", elements: rows * wide) {
        ck_adamw(x.at, dy.at, first.at, second.at, rows * wide, 1e-6, 0.9, 0.95, 1e-8, 0, 0.1, 0.05)
      },
    ]
  }
}
