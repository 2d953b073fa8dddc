import Environments
import WireProtocol

/// Checks whether a server keeps the protocol (PROTOCOL.md): any server, in any language.
///
/// It needs an environment whose episodes repeat with their seed, as the contract demands.
public struct ConformanceSuite {
  /// What a check found.
  public struct Finding: Sendable, Hashable {
    public let check: String
    /// Why it failed; nil where it passed.
    public let reason: String?
    /// Whether the server does not claim to do what is checked, or gives no occasion to check it.
    public var isSkipped = false
  }

  struct Check {
    let name: String
    var capability: String?
    let body: (Trial) throws -> String?

    init(_ name: String, needs capability: String? = nil, _ body: @escaping (Trial) throws -> String?) {
      self.name = name
      self.capability = capability
      self.body = body
    }
  }

  private let endpoint: String
  private let environment: String?
  private let keys: ClientKeys?

  /// - Parameter environment: nil takes the first that the server describes.
  public init(_ endpoint: String, environment: String? = nil, keys: ClientKeys? = nil) {
    self.endpoint = endpoint
    self.environment = environment
    self.keys = keys
  }

  /// How many checks there are.
  public static var count: Int { checks.count }

  static var checks: [Check] { negotiation + malformed + sessions + episodes + snapshots }

  /// Runs every check, each with connections and a session of its own.
  /// - Parameter report: is told of each as soon as it is done.
  /// - Throws: where the server cannot be reached at all, or describes an environment that nobody can work with.
  public func run(_ report: (Finding) -> Void = { _ in }) throws -> [Finding] {
    let first = try WireClient(endpoint, keys: keys)
    let hello = try first.ask(Message(Envelope(.hello, sequence: 1), json: HelloRequest(client: "conform/1")))
      .json(as: HelloReply.self)
    let offered = try first.ask(Message(Envelope(.describe, sequence: 2))).json(as: Description.self)
      .environments
    guard let found = environment.map({ name in offered.first { $0.name == name } }) ?? offered.first
    else { throw EnvironmentError.unknownEnvironment(environment ?? "", offered: offered.map(\.name)) }
    let specification = try found.validated()
    return Self.checks.map { check in
      var finding: Finding
      if let capability = check.capability, !hello.capabilities.contains(capability) {
        finding = Finding(check: check.name, reason: nil, isSkipped: true)
      } else {
        do {
          let trial = Trial(endpoint, keys, specification, hello)
          defer { trial.end() }
          finding = Finding(check: check.name, reason: try check.body(trial))
        } catch is Skipped {
          finding = Finding(check: check.name, reason: nil, isSkipped: true)
        } catch {
          finding = Finding(check: check.name, reason: "\(error)")
        }
      }
      report(finding)
      return finding
    }
  }
}

/// Thrown by a check for which the server gives no occasion.
struct Skipped: Error {}

/// What a check works with.
final class Trial {
  let specification: EnvironmentSpecification
  let hello: HelloReply
  private let endpoint: String
  private let keys: ClientKeys?
  private var clients: [WireClient] = []

  init(
    _ endpoint: String, _ keys: ClientKeys?, _ specification: EnvironmentSpecification, _ hello: HelloReply
  ) {
    self.endpoint = endpoint
    self.keys = keys
    self.specification = specification
    self.hello = hello
  }

  func connect() throws -> WireClient {
    let client = try WireClient(endpoint, keys: keys)
    clients.append(client)
    return client
  }

  /// A client with a session of `count` slots.
  func opened(_ count: Int = 1, _ options: OpenOptions = OpenOptions()) throws -> WireClient {
    let client = try connect()
    let reply = try client.open(specification.name, count, options)
    guard reply.envelope.status == .ok else {
      throw EnvironmentError.fault("an open was answered \(reply.words)")
    }
    return client
  }

  /// The same with episodes of the seeds 0, 1, ...
  func started(_ count: Int = 1, _ options: OpenOptions = OpenOptions()) throws -> WireClient {
    let client = try opened(count, options)
    let reply = try client.reset(seeds: (0..<UInt64(count)).map { $0 })
    guard reply.envelope.status == .ok else {
      throw EnvironmentError.fault("a reset was answered \(reply.words)")
    }
    return client
  }

  /// The scripted action number `step`.
  func action(_ step: Int) -> Int32 {
    Int32(SplitMix64.mix(UInt64(step / 2)) % UInt64(specification.actionSpace.count))
  }

  func batch(_ reply: Message, _ count: Int, auxiliaries: [String] = []) throws -> StepBatch {
    guard reply.envelope.status == .ok else { throw EnvironmentError.fault("the answer was \(reply.words)") }
    var batch = StepBatch(observationSpace: specification.observationSpace)
    try BatchReply.read(reply, count: count, auxiliaries: auxiliaries, into: &batch)
    return batch
  }

  /// What is wrong with a status that should be another.
  func expect(_ reply: Message, _ statuses: Status..., when: String) -> String? {
    if let status = reply.envelope.status, statuses.contains(status) { return nil }
    return "\(when): \(statuses.map(\.name).joined(separator: " or ")) is due, and \(reply.words) came"
  }

  func end() { for client in clients where client.session != .none { client.close() } }
}

extension Message {
  /// Its status, and what it says of it.
  var words: String {
    let name = envelope.status?.name ?? "status \(envelope.statusCode)"
    guard envelope.statusCode != 0, let detail = try? json(as: ErrorDetail.self) else { return name }
    return "\(name) (\(detail.message))"
  }

  /// The bytes of all its payloads.
  var content: [[UInt8]] { payloads.map(\.bytes) }
}
