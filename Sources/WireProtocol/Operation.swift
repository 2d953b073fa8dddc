/// What a message asks for. Numbers are part of the protocol and never change.
public enum Operation: UInt8, Sendable, CaseIterable {
  /// In a reply to a message too broken to tell.
  case unknown = 0
  case hello = 1
  case describe = 2
  case open = 3
  case reset = 4
  case step = 5
  case close = 6
  case ping = 7
  case stats = 8
  case snapshot = 9
  case restore = 10
  case fork = 11
  case resume = 12
}
