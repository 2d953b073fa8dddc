import Environments
import WireProtocol

/// A request that was accepted, on its way to the environments.
struct Work: Sendable {
  enum Kind: Sendable {
    case open(OpenRequest)
    case reset(ResetRequest)
    case step(StepRequest)
    case close(SlotsRequest)
    case snapshot(SlotsRequest)
    case restore(RestoreRequest)
    case fork(SlotsRequest)
    /// A session of an earlier incarnation of the server is taken up.
    case resume
    /// The session has expired: nobody waits for an answer.
    case release
  }

  let session: Identifier
  /// The key of whoever asks; empty without CURVE.
  let user: String
  /// As it came, with the session's token.
  let request: Message
  let kind: Kind

  init(session: Identifier, user: String = "", request: Message, kind: Kind) {
    self.session = session
    self.user = user
    var request = request
    request.envelope.session = session
    self.request = request
    self.kind = kind
  }

  /// Reads what a request of a session asks.
  /// - Throws: ``WireProtocol/WireError`` where it is malformed, or has more rows than a session can have slots.
  init(
    session: Identifier, user: String = "", reading request: Message, within limits: Limits
  ) throws(WireError) {
    try Self.checkRows(of: request, limit: limits.slotsPerSession)
    let kind: Kind =
      switch request.envelope.operation {
      case .open: .open(try request.json(as: OpenRequest.self))
      case .reset: .reset(try ResetRequest(reading: request))
      case .step: .step(try StepRequest(reading: request))
      case .close: .close(try SlotsRequest(reading: request))
      case .snapshot: .snapshot(try SlotsRequest(reading: request))
      case .restore: .restore(try RestoreRequest(reading: request))
      case .fork: .fork(try SlotsRequest(reading: request))
      case .resume: .resume
      default: throw .malformed("operation \(request.envelope.operationCode) is none of a session's")
      }
    self.init(session: session, user: user, request: request, kind: kind)
  }

  /// Looks at sizes alone, before anything is made of them: a row of one byte becomes one of many.
  private static func checkRows(of request: Message, limit: Int) throws(WireError) {
    // Bytes of a row in each of the payloads that have one for every slot.
    let sizes: [Int] =
      switch request.envelope.operation {
      case .reset: [4, 1]
      case .step: [4, 4]
      case .restore: [4, 8]
      case .close, .snapshot, .fork: [4]
      default: []
      }
    for (payload, size) in zip(request.payloads, sizes) where payload.byteCount / size > limit {
      throw .tooLarge(what: "rows", size: payload.byteCount / size, limit: limit)
    }
  }

  var envelope: Envelope { request.envelope }

  /// Whether it waits for a round, in which it is done together with those of other sessions.
  var isOfRounds: Bool {
    switch kind {
    case .reset, .step: true
    default: false
    }
  }
}

/// An answer, on its way back.
struct Completion: Sendable {
  var session: Identifier
  var frames: [Frame]
  /// Whether the session ends with it.
  var endsSession = false
  /// What became known of a session that was taken up again.
  var resumed: ResumedSession?
}

/// A session of an earlier incarnation, as far as the I/O thread has to know it.
struct ResumedSession: Sendable {
  var accepted: UInt64
  var operation: UInt8
  /// The reply to the last request.
  var reply: [Frame]
}

/// What the environments have done so far.
struct SteppingCounters: Sendable {
  /// Calls of a pool's `step` and `reset`.
  var rounds = 0
  /// Steps of single environments in them.
  var steps = 0
  /// Episodes started.
  var resets = 0
}
