import Autograd
import Foundation
import Safetensors
import Video

/// One shard of clips as tokens and latent actions: in memory, or in a file of which only what is asked for is read.
///
/// The file has `tokens` U16 `[frames, tokens]` and `actions` I32 `[frames]`, and says what it was made from.
struct TokenShard: Sendable {
  private enum Source: Sendable {
    case memory(tokens: [UInt16], actions: [Int32])
    case file(SafetensorsFile)
  }

  private let source: Source
  /// Frames.
  let count: Int
  private let tokensPerFrame: Int

  init(tokens: [UInt16], actions: [Int32], tokensPerFrame: Int) {
    source = .memory(tokens: tokens, actions: actions)
    count = actions.count
    self.tokensPerFrame = tokensPerFrame
  }

  /// A file that was made from the same video by the same models.
  /// - Parameters:
  ///   - codes: of the tokenizer.
  ///   - choices: of latent actions.
  /// - Returns: nil where there is none, or none that is whole.
  init?(_ url: URL, frames: Int, tokensPerFrame: Int, codes: Int, choices: Int, origin: String) {
    guard let file = try? SafetensorsFile(url), file.metadata["origin"] == origin,
      (try? file.shape(of: "tokens")) == [frames, tokensPerFrame], (try? file.type(of: "tokens")) == .u16,
      (try? file.shape(of: "actions")) == [frames], (try? file.type(of: "actions")) == .i32
    else { return nil }
    source = .file(file)
    count = frames
    self.tokensPerFrame = tokensPerFrame
    let (code, action) = (0..<Int32(codes), Dynamics.noAction..<Int32(choices))
    for start in stride(from: 0, to: frames, by: 4096) {
      let range = start..<min(frames, start + 4096)
      guard tokens(range).allSatisfy(code.contains), actions(range).allSatisfy(action.contains) else {
        return nil
      }
    }
  }

  /// Writes a shard, atomically.
  static func write(
    tokens: [UInt16], actions: [Int32], origin: String, to url: URL
  ) throws(AtomicFileError) {
    var content = SafetensorsContent(metadata: ["origin": origin])
    content.tensors["tokens"] = SafetensorsTensor(
      shape: [actions.count, tokens.count / max(1, actions.count)], values: tokens)
    content.tensors["actions"] = SafetensorsTensor(shape: [actions.count], values: actions)
    try content.write(to: url)
  }

  /// `[range.count, tokens]`.
  func tokens(_ range: Range<Int>) -> [Int32] {
    switch source {
    case .memory(let tokens, _):
      tokens[range.lowerBound * tokensPerFrame..<range.upperBound * tokensPerFrame].map(Int32.init)
    case .file(let file): read(file, "tokens", range, UInt16.self).map(Int32.init)
    }
  }

  /// `[range.count]`.
  func actions(_ range: Range<Int>) -> [Int32] {
    switch source {
    case .memory(_, let actions): Array(actions[range])
    case .file(let file): read(file, "actions", range, Int32.self)
    }
  }

  private func read<Value: BitwiseCopyable>(
    _ file: SafetensorsFile, _ name: String, _ rows: Range<Int>, _ type: Value.Type
  ) -> [Value] {
    do {
      return try file.withUnsafeBytes(of: name, rows: rows) { bytes in
        let count = bytes.count / MemoryLayout<Value>.size
        return [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
          UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
          initialized = count
        }
      }
    } catch {
      preconditionFailure("frames \(rows) of a shard that was checked: \(error)")
    }
  }
}
