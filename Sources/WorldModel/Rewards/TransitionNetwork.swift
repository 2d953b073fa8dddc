import Autograd
import NeuralNetwork

/// Says something of two successive frames: two small convolutions over the tokens of both, and the mean and the strongest
/// response anywhere.
final class TransitionNetwork: Sendable {
  private let grid: (rows: Int, columns: Int)
  private let embedding: Embedding
  private let first: Convolution
  private let second: Convolution
  private let head: Linear

  /// - Parameter prefix: of its parameters' names, where several share a set.
  init(
    _ parameters: Parameters, prefix: String = "", grid: (rows: Int, columns: Int), vocabulary: Int,
    channels: Int, filters: Int, outputs: Int
  ) {
    self.grid = grid
    embedding = Embedding(
      parameters, prefix + "embedding", entries: vocabulary, channels: channels, deviation: 0.5)
    first = Convolution(
      parameters, prefix + "first", channels: 2 * channels, filters: filters, kernel: 3, padding: 1,
      activation: .gelu)
    second = Convolution(
      parameters, prefix + "second", channels: filters, filters: filters, kernel: 3, padding: 1,
      activation: .gelu)
    head = Linear(parameters, prefix + "head", inputs: 2 * filters, outputs: outputs, role: .outer)
  }

  /// Values of the parameters, without the head and the biases.
  static func leastValues(vocabulary: Int, channels: Int, filters: Int) -> Int {
    vocabulary * channels + 9 * (2 * channels + filters) * filters
  }

  /// Starts the embedding from the tokenizer's codes: what was never seen in training is then taken for what looks like it.
  /// - Parameter codes: `[vocabulary, width]`, of length 1.
  func ground(_ codes: Tensor, key: RandomKey) {
    let table = embedding.table.value
    // A random projection keeps distances.
    let projection = Tensor(shape: [codes.shape[1], table.shape[1]])
    for i in 0..<projection.count { projection[i] = 0.5 * key.normal(UInt64(i)) }
    table.assignProduct(codes, projection)
  }

  /// - Parameters:
  ///   - previous: `[transitions, tokens]`.
  ///   - tokens: `[transitions, tokens]`.
  /// - Returns: logits, `[transitions, outputs]`.
  func callAsFunction(_ tape: Tape, previous: [Int32], tokens: [Int32]) -> Variable {
    let count = tokens.count / (grid.rows * grid.columns)
    let shape: Shape = [count, grid.rows, grid.columns]
    let both = tape.concatenate(
      embedding(tape, previous[...], shape: shape), embedding(tape, tokens[...], shape: shape))
    let responses = second(tape, first(tape, both))
    let flat = tape.reshape(responses, [count, 1, grid.rows * grid.columns, responses.shape[-1]])
    let logits = head(tape, tape.meanAndMaximum(flat))
    return tape.reshape(logits, [count, logits.shape[-1]])
  }
}
