import Environments

/// The payloads of `reset`: which slots (none named: all), and how each episode starts.
public struct ResetRequest: Hashable, Sendable {
  /// Numbers of slots; empty: all open ones, ascending.
  public var slots: [Int32]
  /// One for each slot; empty: none has any option.
  public var options: [ResetOptions]

  public init(slots: [Int32] = [], options: [ResetOptions] = []) {
    self.slots = slots
    self.options = options
  }

  /// Bits of the second payload: which options a row has.
  private enum Presence {
    static let seed: UInt8 = 1
    static let level: UInt8 = 2
    static let prompt: UInt8 = 4
  }

  public var payloads: [Frame] {
    let presence = options.map { option in
      (option.seed == nil ? 0 : Presence.seed) | (option.level == nil ? 0 : Presence.level)
        | (option.prompt == nil ? 0 : Presence.prompt)
    }
    let any = presence.reduce(0, |)
    let prompts = options.compactMap(\.prompt)
    let pixels = Frame(byteCount: prompts.reduce(0) { $0 + $1.pixels.count })
    pixels.withUnsafeMutableBytes { bytes in
      var rest = bytes[...]
      for prompt in prompts {
        UnsafeMutableRawBufferPointer(rebasing: rest.prefix(prompt.pixels.count)).copyBytes(
          from: prompt.pixels)
        rest = rest.dropFirst(prompt.pixels.count)
      }
    }
    return [
      Frame(slots),
      Frame(any == 0 ? [] : presence),
      Frame(any & Presence.seed == 0 ? [] : options.map { $0.seed ?? 0 }),
      Frame(any & Presence.level == 0 ? [] : options.map { Int64($0.level ?? 0) }),
      Frame(prompts.flatMap { [UInt32($0.frames), UInt32($0.height), UInt32($0.width)] }),
      pixels,
    ]
  }

  /// - Throws: ``WireError/malformed(_:)`` where the six payloads' sizes do not agree.
  public init(reading message: Message) throws(WireError) {
    try message.requirePayloads(6)
    let payloads = message.payloads
    slots = try payloads[0].array(of: Int32.self, "slots")
    let presence = try payloads[1].array(of: UInt8.self, "presence")
    let any = presence.reduce(0, |)
    let seeds = try Self.column(payloads[2], of: UInt64.self, "seeds", any & Presence.seed, presence.count)
    let levels = try Self.column(payloads[3], of: Int64.self, "levels", any & Presence.level, presence.count)
    guard presence.isEmpty || slots.isEmpty || presence.count == slots.count else {
      throw .malformed("\(slots.count) slots, and options for \(presence.count)")
    }
    var prompts = try Self.prompts(
      shapes: payloads[4].array(of: UInt32.self, "prompt shapes"), pixels: payloads[5],
      count: presence.count { $0 & Presence.prompt != 0 }
    )[...]
    options = []
    options.reserveCapacity(presence.count)
    for (row, bits) in presence.enumerated() {
      guard let level = Int(exactly: bits & Presence.level == 0 ? 0 : levels[row]) else {
        throw .malformed("level \(levels[row])")
      }
      options.append(
        ResetOptions(
          seed: bits & Presence.seed == 0 ? nil : seeds[row],
          level: bits & Presence.level == 0 ? nil : level,
          prompt: bits & Presence.prompt == 0 ? nil : prompts.removeFirst()))
    }
  }

  /// A column that is there where some row has the option, and empty where none has.
  private static func column<Value: BitwiseCopyable>(
    _ frame: Frame, of type: Value.Type, _ what: String, _ bit: UInt8, _ rows: Int
  ) throws(WireError) -> [Value] {
    let values = try frame.array(of: type, what)
    let expected = bit == 0 ? 0 : rows
    guard values.count == expected else { throw .malformed("\(values.count) \(what), not \(expected)") }
    return values
  }

  private static func prompts(
    shapes: [UInt32], pixels: Frame, count: Int
  ) throws(WireError) -> [Prompt] {
    guard shapes.count == 3 * count else {
      throw .malformed("\(shapes.count) numbers of prompt shapes for \(count) prompts")
    }
    var prompts: [Prompt] = []
    var used = 0
    for row in 0..<count {
      var size = 3
      for dimension in shapes[3 * row..<3 * row + 3] {
        let (product, overflow) = size.multipliedReportingOverflow(by: Int(dimension))
        guard !overflow, product <= pixels.byteCount - used else {
          throw .malformed("prompt \(row) is larger than its \(pixels.byteCount - used) bytes")
        }
        size = product
      }
      let bytes = pixels.withUnsafeBytes { Array($0[used..<used + size]) }
      used += size
      prompts.append(
        Prompt(
          frames: Int(shapes[3 * row]), height: Int(shapes[3 * row + 1]), width: Int(shapes[3 * row + 2]),
          pixels: bytes))
    }
    guard used == pixels.byteCount else {
      throw .malformed("\(pixels.byteCount) bytes of prompts, and their shapes say \(used)")
    }
    return prompts
  }
}
