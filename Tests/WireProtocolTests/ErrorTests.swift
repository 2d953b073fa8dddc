import Environments
import Testing

import WireProtocol

@Suite struct ErrorTests {
  static let errors: [EnvironmentError] = [
    .unknownSlot(Slot(index: 3, generation: 0)), .repeatedSlot(Slot(index: 4, generation: 0)),
    .tooManySlots(limit: 9),
    .countMismatch(what: "actions", expected: 2, found: 3), .invalidAction(9, count: 6), .needsReset,
    .unknownLevel(7, count: 5), .unknownAuxiliary("a", offered: ["b"]),
    .invalidOption(name: "n", reason: "r"),
    .invalidPrompt(reason: "r"), .unknownEnvironment("e", offered: ["f"]),
    .unsupported("fork"),
    .disconnected(endpoint: "e", reason: "r"), .timedOut(operation: "step", seconds: 2),
    .sessionLost(reason: "r"),
    .busy(retryAfterSeconds: 0.5), .refused(reason: "r"), .fault("f"),
  ]

  @Test(arguments: errors) func everyErrorTravels(_ error: EnvironmentError) throws {
    let status = Status(error)
    #expect(status.rawValue >= 32)
    let message = Message(Envelope(.step), json: ErrorDetail(error))
    let detail = try Message(frames: message.frames).json(as: ErrorDetail.self)
    #expect(detail.error(statusCode: status.rawValue) == error)
    #expect(detail.message == error.description)
  }

  @Test func namesAreThoseOfTheProtocol() {
    #expect(Status.sessionLost.name == "SESSION_LOST")
    #expect(Status.ok.name == "OK")
    #expect(Status.internal.name == "INTERNAL")
  }
}
