import Environments
import WireProtocol

/// A request that was accepted, on its way to the environments.
struct Work: Sendable {
  enum Kind: Sendable {
    case open(OpenRequest)
    case reset(ResetRequest)
    case step(StepRequest)
    case close(CloseRequest)
    /// The session has expired: nobody waits for an answer.
    case release
  }

  var session: Identifier
  /// The request's.
  var envelope: Envelope
  var kind: Kind
}

/// An answer, on its way back.
struct Completion: Sendable {
  var session: Identifier
  var frames: [Frame]
  /// Whether the session ends with it.
  var endsSession = false
}

/// What the stepping thread has done so far.
struct SteppingCounters: Sendable {
  /// Calls of a pool's `step`.
  var rounds = 0
  /// Steps of single environments in them.
  var steps = 0
}
