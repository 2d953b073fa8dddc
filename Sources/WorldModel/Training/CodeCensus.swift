import Autograd
import NeuralNetwork
import Video

/// One look through the training video: how often each code of the tokenizer is used, and which patches no code serves well.
struct CodeCensus {
  /// Of each code, the share of patches that use it.
  private var uses: [Float]
  /// Of each code, some of the windows that show it.
  private(set) var windows: WindowsByCode
  private var strangers: [Stranger] = []
  private let quantizer: VectorQuantizer

  /// A patch that no code serves well.
  private struct Stranger {
    /// Of length 1.
    var vector: [Float]
    /// The nearest, and how near it is.
    var code: Int
    var similarity: Float
    var window: Int
  }

  /// What is seen of some windows.
  private struct Part {
    var uses: [Int32: (count: Int, windows: [Int])] = [:]
    var strangers: [Stranger] = []

    mutating func keepWorst(_ most: Int) {
      guard strangers.count > most else { return }
      strangers.sort { ($0.similarity, $0.window) < ($1.similarity, $1.window) }
      strangers.removeLast(strangers.count - most)
    }
  }

  /// The cosine from which on a patch needs no code of its own.
  private static let wellServed: Float = 0.999
  private static let windowsOfPart = 64

  /// - Parameters:
  ///   - clips: how the windows are read.
  ///   - origins: of all windows.
  ///   - mostStrangers: patches that are kept: those served worst, as many of each part of the video. Video of many details has more
  ///     than can be looked at.
  init(
    _ tokenizer: Tokenizer, clips: ClipLoader, origins: [ClipLoader.Origin], mostStrangers: Int = 1 << 18,
    workers: Workers
  ) {
    quantizer = tokenizer.quantizer
    let codes = tokenizer.vocabulary
    uses = [Float](repeating: 0, count: codes)
    windows = WindowsByCode(codes: codes)
    let starts = Array(stride(from: 0, to: origins.count, by: Self.windowsOfPart))
    let parts = Slots<Part>(count: starts.count)
    let most = max(1, mostStrangers / max(1, starts.count))
    workers.run { worker in
      let arena = Arena()
      for index in stride(from: worker, to: starts.count, by: workers.count) {
        var part = Part()
        for window in starts[index]..<min(origins.count, starts[index] + Self.windowsOfPart) {
          Self.look(
            at: window, FrameBatch(clips.read([origins[window]]), of: clips), tokenizer, arena, &part)
          part.keepWorst(most)
        }
        parts[index] = part
      }
    }
    for part in parts.all {
      for (code, use) in part.uses.sorted(by: { $0.key < $1.key }) {
        uses[Int(code)] += Float(use.count)
        for window in use.windows { windows.meet(window, code: Int(code)) }
      }
      strangers += part.strangers
    }
    let total = max(1, uses.reduce(0, +))
    for code in 0..<codes { uses[code] /= total }
  }

  private static func look(
    at window: Int, _ frames: FrameBatch, _ tokenizer: Tokenizer, _ arena: Arena, _ part: inout Part
  ) {
    arena.reset()
    let tape = Tape(arena: arena)
    let quantizer = tokenizer.quantizer
    let width = quantizer.configuration.width
    let patches = tape.constant(frames.patches(tokenizer.patches, arena: arena))
    let vectors = tape.normalize(tokenizer.encode(tape, patches)).value
    for (row, code) in quantizer.nearest(vectors, arena: arena).enumerated() {
      part.uses[code, default: (0, [])].count += 1
      if part.uses[code]!.windows.last != window { part.uses[code]!.windows.append(window) }
      let vector = UnsafeBufferPointer(start: vectors.pointer + row * width, count: width)
      let similarity = similarity(vector, quantizer.codebook.pointer + Int(code) * width)
      if similarity < wellServed {
        part.strangers.append(
          Stranger(vector: Array(vector), code: Int(code), similarity: similarity, window: window))
      }
    }
  }

  private static func similarity(_ vector: some Collection<Float>, _ centre: UnsafePointer<Float>) -> Float {
    zip(vector, UnsafeBufferPointer(start: centre, count: vector.count)).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// Puts codes that nothing uses where patches are served worst, one after the other: a patch that is seldom seen would
  /// otherwise never keep a code.
  /// - Parameter patches: of a training step: codes' uses are running means of their number.
  mutating func placeUnusedCodes(patches: Int) {
    let width = quantizer.configuration.width
    let unused = uses.indices.filter { uses[$0] == 0 }
    for code in unused {
      guard let worst = strangers.indices.min(by: { strangers[$0].similarity < strangers[$1].similarity }),
        strangers[worst].similarity < Self.wellServed
      else { break }
      let centre = quantizer.codebook.pointer + code * width
      for c in 0..<width { centre[c] = strangers[worst].vector[c] }
      for row in strangers.indices {
        let similarity = Self.similarity(strangers[row].vector, centre)
        guard similarity > strangers[row].similarity else { continue }
        strangers[row].similarity = similarity
        strangers[row].code = code
      }
    }
    let placed = Set(unused)
    for stranger in strangers where placed.contains(stranger.code) {
      windows.meet(stranger.window, code: stranger.code)
    }
    quantizer.place(centres: quantizer.codebook.values, uses: uses.map { max(0.01, $0 * Float(patches)) })
  }
}
