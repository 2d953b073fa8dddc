import Autograd
import CKernels
import Foundation

/// How parameters are updated.
public struct OptimizerConfiguration: Codable, Sendable, Equatable {
  /// Largest learning rate of AdamW.
  public var rate: Float
  /// Largest learning rate of Muon, for the matrices inside blocks; nil gives them to AdamW.
  public var muonRate: Float?
  public var weightDecay: Float
  public var beta1: Float
  public var beta2: Float
  public var muonMomentum: Float
  /// Gradients are scaled down to this norm.
  public var clip: Float
  /// Steps in which the rate rises from 0.
  public var warmup: Int
  /// The share of the largest rate at which the cosine ends.
  public var floor: Float

  public init(
    rate: Float = 2e-3, muonRate: Float? = 0.02, weightDecay: Float = 0.01, beta1: Float = 0.9,
    beta2: Float = 0.95,
    muonMomentum: Float = 0.95, clip: Float = 1, warmup: Int = 100, floor: Float = 0.05
  ) {
    self.rate = rate
    self.muonRate = muonRate
    self.weightDecay = weightDecay
    self.beta1 = beta1
    self.beta2 = beta2
    self.muonMomentum = muonMomentum
    self.clip = clip
    self.warmup = warmup
    self.floor = floor
  }

  /// The share of the largest rates at a step: warm-up times cosine.
  /// - Parameter progress: share of the training that is done, 0...1.
  public func schedule(step: Int, progress: Double) -> Float {
    let cosine = 0.5 * (1 + Float(cos(Double.pi * min(1, max(0, progress)))))
    return min(1, Float(step + 1) / Float(max(1, warmup))) * (floor + (1 - floor) * cosine)
  }
}

/// AdamW, with Muon for the matrices inside blocks. The parameters are shared out among the workers, of all processes
/// where several train together; each is updated by one of them, so that the result does not depend on how many there are.
public final class Optimizer: @unchecked Sendable {
  public let configuration: OptimizerConfiguration
  public let parameters: Parameters
  public private(set) var step = 0
  private var first: [Tensor]
  private var second: [Tensor?]
  private let workers: Workers?
  private let precision: Precision
  /// What each process updates.
  private let runs: [(parameters: Range<Int>, floats: Range<Int>)]
  /// Indices of parameters, a worker of this process.
  private let shares: [[Int]]
  private let scratch: [Arena]

  /// - Parameters:
  ///   - workers: that share the update; nil for the calling thread alone.
  ///   - precision: of the operands of Muon's matrix products.
  public init(
    _ parameters: Parameters, _ configuration: OptimizerConfiguration, workers: Workers? = nil,
    precision: Precision = .float32
  ) {
    self.configuration = configuration
    self.parameters = parameters
    self.workers = workers
    self.precision = precision
    let cost = parameters.all.map { parameter in
      let (values, side) = (parameter.shape.count, parameter.shape.dimensions.min() ?? 1)
      return Self.usesMuon(parameter, configuration) ? values * side : values
    }
    runs = parameters.runs(workers?.counts.count ?? 1)
    shares = Self.share(cost, of: runs[workers?.rank ?? 0].parameters, among: workers?.count ?? 1)
    scratch = shares.map { _ in Arena() }
    first = parameters.all.map { Tensor(shape: $0.shape) }
    second = parameters.all.map {
      Self.usesMuon($0, configuration) ? nil : Tensor(shape: $0.shape)
    }
  }

  /// The dearest first, each to the worker that has least to do.
  private static func share(_ cost: [Int], of parameters: Range<Int>, among workers: Int) -> [[Int]] {
    var shares = [[Int]](repeating: [], count: workers)
    var loads = [Int](repeating: 0, count: workers)
    for index in parameters.sorted(by: { (cost[$0], $1) > (cost[$1], $0) }) {
      let least = loads.indices.min { loads[$0] < loads[$1] }!
      shares[least].append(index)
      loads[least] += cost[index]
    }
    return shares
  }

  private static func usesMuon(_ parameter: Parameter, _ configuration: OptimizerConfiguration) -> Bool {
    configuration.muonRate != nil && parameter.role == .hidden && parameter.shape.rank == 2
  }

  /// One update.
  /// - Parameters:
  ///   - gradients: reduced over workers, and over processes; their memory is made use of.
  ///   - progress: share of the training that is done, 0...1.
  /// - Returns: the norm of the gradients before clipping; not finite means that nothing was updated.
  @discardableResult
  public func update(_ gradients: Gradients, progress: Double) -> Float {
    precondition(gradients.parameters === parameters, "gradients of another model")
    let own = runs[workers?.rank ?? 0].floats
    let start = gradients.flat.pointer + own.lowerBound
    let squares = ck_sum_squares(start, own.count)
    let all = workers?.collective?.gathered([squares]).reduce(0) { $0 + $1[0] } ?? squares
    let norm = Float(all.squareRoot())
    guard norm.isFinite else { return norm }
    let scale = configuration.schedule(step: step, progress: progress)
    if norm > configuration.clip { ck_scale(start, configuration.clip / norm, own.count) }
    step += 1
    guard let workers else {
      for index in shares[0] { update(index, gradients, scale: scale, arena: scratch[0]) }
      return norm
    }
    workers.run { [self] worker in
      for index in shares[worker] { update(index, gradients, scale: scale, arena: scratch[worker]) }
    }
    // The gradients have done their work: their memory carries the new values between processes.
    gather(parameters.all.map(\.value), through: gradients)
    return norm
  }

  /// Gives every process what the others updated.
  /// - Parameter tensors: one for each parameter.
  private func gather(_ tensors: [Tensor], through buffer: Gradients) {
    guard let collective = workers?.collective else { return }
    for index in runs[collective.rank].parameters {
      buffer.tensor(parameters.all[index]).copy(from: tensors[index])
    }
    collective.gather(
      buffer.flat.pointer, pieces: runs.map { $0.floats.count * MemoryLayout<Float>.stride })
    for (index, parameter) in parameters.all.enumerated()
    where !runs[collective.rank].parameters.contains(index) {
      tensors[index].copy(from: buffer.tensor(parameter))
    }
  }

  /// To be called, on all processes that train together, before ``state`` is kept: each knows its own part of it.
  public func gatherState() {
    guard workers?.collective != nil else { return }
    let buffer = Gradients(parameters)
    gather(first, through: buffer)
    // Muon has no second moments: what is carried for its parameters is never looked at.
    gather(zip(second, first).map { $0 ?? $1 }, through: buffer)
  }

  /// Updates one parameter.
  private func update(_ index: Int, _ gradients: Gradients, scale: Float, arena: Arena) {
    let parameter = parameters.all[index]
    let gradient = gradients.tensor(parameter)
    if let second = second[index] {
      let correction1 = 1 - Float(pow(Double(configuration.beta1), Double(step)))
      let correction2 = 1 - Float(pow(Double(configuration.beta2), Double(step)))
      ck_adamw(
        parameter.value.pointer, gradient.pointer, first[index].pointer, second.pointer, gradient.count,
        configuration.rate * scale, configuration.beta1, configuration.beta2, 1e-8,
        parameter.role == .vector ? 0 : configuration.weightDecay, correction1, correction2)
    } else {
      arena.reset()
      Muon.update(
        parameter.value, gradient: gradient, momentum: first[index], rate: configuration.muonRate! * scale,
        decay: configuration.weightDecay, keep: configuration.muonMomentum, arena: arena,
        precision: precision)
    }
  }

  /// What a checkpoint keeps.
  public var state: [String: Tensor] {
    var state: [String: Tensor] = [:]
    for (index, parameter) in parameters.all.enumerated() {
      state["optimizer.first." + parameter.name] = first[index]
      if let second = second[index] { state["optimizer.second." + parameter.name] = second }
    }
    return state
  }

  /// To be called when the tensors of ``state`` were filled from a checkpoint.
  public func didRestore(step: Int) { self.step = step }
}
