/// How a request went. Numbers are part of the protocol and never change; those from 32 on are
/// environment errors, which use up a sequence number.
public enum Status: UInt8, Sendable, CaseIterable {
  case ok = 0
  case malformed = 1
  case unsupportedVersion = 2
  case unknownOperation = 3
  case corrupt = 4
  case tooLarge = 5
  case stale = 6
  case gap = 7
  case sessionLost = 8
  case busy = 9
  case refused = 10
  case `internal` = 11

  case unknownSlot = 32
  case repeatedSlot = 33
  case tooManySlots = 34
  case countMismatch = 35
  case invalidAction = 36
  case needsReset = 37
  case unknownLevel = 38
  case unknownAuxiliary = 39
  case invalidOption = 40
  case invalidPrompt = 41
  case unknownEnvironment = 42
  case unsupported = 43
  case disconnected = 44
  case timedOut = 45
  case fault = 46
  case upstreamLost = 47
  case upstreamBusy = 48
  case upstreamRefused = 49
  case invalidSnapshot = 50

  /// The name in PROTOCOL.md, such as `SESSION_LOST`.
  public var name: String {
    if self == .ok { return "OK" }
    return "\(self)".reduce(into: "") { name, letter in
      if letter.isUppercase { name.append("_") }
      name.append(letter.uppercased())
    }
  }
}
