import Environments

/// Metadata of a `hello` to the server.
public struct HelloRequest: Codable, Hashable, Sendable {
  /// Name and version of the client, such as `genie-swift/1`.
  public var client: String
  /// Versions of the protocol that the client speaks.
  public var versions: [UInt16]

  public init(client: String, versions: [UInt16] = [Envelope.version]) {
    self.client = client
    self.versions = versions
  }
}

/// Metadata of the answer to `hello`.
public struct HelloReply: Codable, Hashable, Sendable {
  public var server: String
  public var versions: [UInt16]
  /// Optional operations that the server does, by name.
  public var capabilities: [String]
  public var environments: [String]
  /// How long a silent session lives.
  public var sessionSeconds: Double
  public var limits: Limits

  public init(
    server: String, versions: [UInt16] = [Envelope.version], capabilities: [String] = [],
    environments: [String],
    sessionSeconds: Double, limits: Limits
  ) {
    self.server = server
    self.versions = versions
    self.capabilities = capabilities
    self.environments = environments
    self.sessionSeconds = sessionSeconds
    self.limits = limits
  }
}

/// Metadata of the answer to `describe`.
public struct Description: Codable, Hashable, Sendable {
  public var environments: [EnvironmentSpecification]

  public init(environments: [EnvironmentSpecification]) { self.environments = environments }
}

/// Metadata of `open`.
public struct OpenRequest: Codable, Hashable, Sendable {
  public var environment: String
  /// Slots to open, all with the same options.
  public var count: Int
  public var options: Options?

  /// ``Environments/OpenOptions`` with keys that may be absent.
  public struct Options: Codable, Hashable, Sendable {
    public var auxiliaries: [String]?
    public var horizon: Int?
  }

  public init(environment: String, count: Int, options: OpenOptions = OpenOptions()) {
    self.environment = environment
    self.count = count
    self.options = Options(auxiliaries: options.auxiliaries, horizon: options.horizon)
  }

  public var openOptions: OpenOptions {
    OpenOptions(auxiliaries: options?.auxiliaries ?? [], horizon: options?.horizon)
  }
}

/// Metadata of the answer to `open`.
public struct OpenReply: Codable, Hashable, Sendable {
  /// The new slots' numbers.
  public var slots: [Int32]
  /// All auxiliaries of the session so far, in the order of their columns.
  public var auxiliaries: [String]

  public init(slots: [Int32], auxiliaries: [String]) {
    self.slots = slots
    self.auxiliaries = auxiliaries
  }
}

/// Metadata of the answer to `ping`.
public struct PingReply: Codable, Hashable, Sendable {
  /// For how long the current call to an environment has been running; 0: idle.
  public var busyMilliseconds: Double
  public var queued: Int
  public var sessions: Int

  public init(busyMilliseconds: Double, queued: Int, sessions: Int) {
    self.busyMilliseconds = busyMilliseconds
    self.queued = queued
    self.sessions = sessions
  }
}

/// Metadata of the answer to `resume`.
public struct ResumeReply: Codable, Hashable, Sendable {
  /// The last sequence number that was used up.
  public var accepted: UInt64

  public init(accepted: UInt64) { self.accepted = accepted }
}
