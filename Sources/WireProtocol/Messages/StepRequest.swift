import Environments

/// The payloads of `step`: which slots (none named: all), and an action for each.
public struct StepRequest: Hashable, Sendable {
  /// Numbers of slots; empty: all open ones, ascending.
  public var slots: [Int32]
  public var actions: [Int32]

  public init(slots: [Int32] = [], actions: [Int32]) {
    self.slots = slots
    self.actions = actions
  }

  public var payloads: [Frame] { [Frame(slots), Frame(actions)] }

  /// - Throws: ``WireError/malformed(_:)`` for another number of payloads or sizes that are no i32 arrays.
  public init(reading message: Message) throws(WireError) {
    try message.requirePayloads(2)
    slots = try message.payloads[0].array(of: Int32.self, "slots")
    actions = try message.payloads[1].array(of: Int32.self, "actions")
  }
}
