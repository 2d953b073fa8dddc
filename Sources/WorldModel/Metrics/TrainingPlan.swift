import NeuralNetwork

/// What training a world takes, told before it is begun: work, time, traffic and data.
public struct TrainingPlan: Sendable, Equatable {
  public var configuration: GenieConfiguration
  /// Clips of a step of the dynamics model, of all hosts together; frames of a clip; steps.
  public var batch: Int
  public var time: Int
  public var steps: Int
  public var hosts: Int
  /// Of one host.
  public var rates: MachineRates
  public var network: Network
  public var dataHours: Double
  public var framesPerSecond: Double

  public init(
    _ configuration: GenieConfiguration, batch: Int, time: Int, steps: Int, hosts: Int, rates: MachineRates,
    network: Network, dataHours: Double, framesPerSecond: Double = 10
  ) {
    self.configuration = configuration
    self.batch = batch
    self.time = time
    self.steps = steps
    self.hosts = hosts
    self.rates = rates
    self.network = network
    self.dataHours = dataHours
    self.framesPerSecond = framesPerSecond
  }

  // MARK: - Training the dynamics

  /// Of one step of all hosts: as many tokens are predicted as masking hides on average (0.75 of a frame that is masked at
  /// a rate of 0.5...1).
  public var stepFlops: Double {
    let predicted = 0.75 * Double(batch * time * configuration.dynamics.tokens)
    return configuration.dynamics.trainingFlops(clips: batch, time: time, predicted: Int(predicted))
  }
  public var flops: Double { stepFlops * Double(steps) }

  public var computeSeconds: Double { stepFlops / (rates.trainingFlops * Double(hosts)) }

  /// Bytes that a host sends, and receives, in a step: gradients are summed, each host left a share of them, and the values
  /// that it updates are given to all.
  public var stepTraffic: Double {
    2 * 4 * Double(configuration.dynamics.parameterCount) * Double(hosts - 1) / Double(hosts)
  }

  /// Seconds of a step in which hosts wait for the network: nothing overlaps.
  public var networkSeconds: Double {
    hosts == 1 ? 0 : stepTraffic / network.bytesPerSecond + 2 * Double(hosts - 1) * network.latencySeconds
  }

  /// The share of the time that is spent computing.
  public var efficiency: Double { computeSeconds / (computeSeconds + networkSeconds) }
  public var trainingSeconds: Double { Double(steps) * (computeSeconds + networkSeconds) }

  // MARK: - Data

  public var frames: Double { dataHours * 3600 * framesPerSecond }
  /// Bytes of the frames as clips, uncompressed.
  public var clipBytes: Double {
    frames * Double(3 * configuration.tokenizer.height * configuration.tokenizer.width)
  }
  /// Bytes of the frames as tokens and latent actions.
  public var tokenBytes: Double { frames * Double(2 * configuration.dynamics.tokens + 4) }
  /// Time of all hosts to import the video, and to turn it into tokens.
  public var importSeconds: Double? {
    rates.importFrames.map { frames / ($0 * Double(hosts)) }
  }
  public var encodingSeconds: Double {
    frames * configuration.encodingFlops / (rates.trainingFlops * Double(hosts))
  }
  /// Bytes a second of tokens that a host reads while it trains.
  public var readingRate: Double {
    Double(batch * time * (2 * configuration.dynamics.tokens + 4)) / Double(hosts)
      / (computeSeconds + networkSeconds)
  }
  /// How often each frame is seen.
  public var epochs: Double { Double(batch * time) * Double(steps) / frames }
}

/// How fast one machine is.
public struct MachineRates: Sendable, Equatable {
  /// Floating-point operations a second in training, of the model's, on all processors.
  public var trainingFlops: Double
  /// Frames a second of video that are imported on all processors; nil where nobody knows.
  public var importFrames: Double?

  public init(trainingFlops: Double, importFrames: Double?) {
    self.trainingFlops = trainingFlops
    self.importFrames = importFrames
  }
}

/// What connects the hosts of a training.
public struct Network: Sendable, Equatable {
  public var bytesPerSecond: Double
  public var latencySeconds: Double

  public init(bytesPerSecond: Double, latencySeconds: Double) {
    self.bytesPerSecond = bytesPerSecond
    self.latencySeconds = latencySeconds
  }
}
