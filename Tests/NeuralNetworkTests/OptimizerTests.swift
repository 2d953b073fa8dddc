import Autograd
import Foundation
import Testing

@testable import NeuralNetwork

@Suite struct OptimizerTests {
  private func gradient(_ step: Int, _ index: Int) -> Float {
    RandomKey(seed: 9).folded(in: UInt64(step)).normal(UInt64(index))
  }

  @Test(arguments: [Parameter.Role.hidden, .outer, .vector])
  func adamW(role: Parameter.Role) {
    let parameters = Parameters(seed: 1)
    let weight = parameters.make("weight", [3, 7], role, .normal(standardDeviation: 1))
    let configuration = OptimizerConfiguration(
      rate: 0.1, muonRate: nil, weightDecay: 0.2, beta1: 0.8, beta2: 0.9, clip: 1e6, warmup: 2, floor: 0.1)
    let optimizer = Optimizer(parameters, configuration)
    let gradients = Gradients(parameters)
    var expected = weight.value.values.map(Double.init)
    var (first, second) = ([Double](repeating: 0, count: 21), [Double](repeating: 0, count: 21))
    for step in 0..<5 {
      let rate = 0.1 * Double(configuration.schedule(step: step, progress: Double(step) / 5))
      for i in 0..<21 {
        let g = Double(gradient(step, i))
        gradients.tensor(weight)[i] = Float(g)
        first[i] = 0.8 * first[i] + 0.2 * g
        second[i] = 0.9 * second[i] + 0.1 * g * g
        let m = first[i] / (1 - pow(0.8, Double(step + 1)))
        let v = second[i] / (1 - pow(0.9, Double(step + 1)))
        expected[i] *= 1 - rate * (role == .vector ? 0 : 0.2)
        expected[i] -= rate * m / (v.squareRoot() + 1e-8)
      }
      optimizer.update(gradients, progress: Double(step) / 5)
    }
    #expect(optimizer.step == 5)
    expectClose(weight.value.values, expected.map { Float($0) })
  }

  /// Muon is for matrices inside blocks, and for nothing else.
  @Test func muon() {
    let parameters = Parameters(seed: 1)
    let tall = parameters.make("tall", [6, 4], .hidden, .normal(standardDeviation: 1))
    let outer = parameters.make("outer", [6, 4], .outer, .normal(standardDeviation: 1))
    let configuration = OptimizerConfiguration(
      rate: 0, muonRate: 0.1, weightDecay: 0.2, muonMomentum: 0.9, clip: 1e6, warmup: 1, floor: 1)
    let optimizer = Optimizer(parameters, configuration)
    #expect(
      Set(optimizer.state.keys) == [
        "optimizer.first.tall", "optimizer.first.outer", "optimizer.second.outer",
      ])
    let gradients = Gradients(parameters)
    var expected = tall.value.values
    let untouched = outer.value.values
    var momentum = [Float](repeating: 0, count: 24)
    for step in 0..<3 {
      let arena = Arena()
      let direction = arena.tensor([6, 4])
      for i in 0..<24 {
        let g = gradient(step, i)
        gradients.tensor(tall)[i] = g
        gradients.tensor(outer)[i] = g
        momentum[i] = 0.9 * momentum[i] + 0.1 * g
        direction[i] = 0.1 * g + 0.9 * momentum[i]
      }
      let orthogonal = Muon.orthogonalized(direction, arena: arena)
      let rate: Float = 0.1 * Float(1.5).squareRoot()
      for i in 0..<24 { expected[i] = 0.98 * expected[i] - rate * orthogonal[i] }
      optimizer.update(gradients, progress: 0)
    }
    expectClose(tall.value.values, expected, tolerance: 1e-4)
    #expect(outer.value.values == untouched)
  }

  /// Of U diag(s) V' it makes U diag(near 1) V': the iteration's bounds are about 0.7 and 1.2.
  @Test(arguments: [(6, 6), (5, 9), (9, 5), (1, 4)])
  func orthogonalizedMatrices(rows: Int, columns: Int) {
    let rank = min(rows, columns)
    let (u, v) = (orthonormal(rank, width: rows, seed: 1), orthonormal(rank, width: columns, seed: 2))
    let singular = (0..<rank).map { Float(rank - $0) * 3 }
    let matrix = Tensor(shape: [rows, columns])
    for i in 0..<rows * columns {
      let (row, column) = (i / columns, i % columns)
      for k in 0..<rank { matrix[i] += u[k][row] * singular[k] * v[k][column] }
    }
    let result = Muon.orthogonalized(matrix, arena: Arena())
    #expect(result.shape == [rows, columns])
    for i in 0..<rank {
      for j in 0..<rank {
        var value: Float = 0
        for row in 0..<rows {
          for column in 0..<columns { value += u[i][row] * result[row * columns + column] * v[j][column] }
        }
        if i == j { #expect(abs(value - 1) < 0.32) } else { #expect(abs(value) < 1e-4) }
      }
    }
  }

  @Test func aZeroGradientMakesNoDirection() {
    let result = Muon.orthogonalized(Tensor(shape: [3, 4]), arena: Arena())
    #expect(result.values == [Float](repeating: 0, count: 12))
  }

  private func orthonormal(_ count: Int, width: Int, seed: UInt64) -> [[Float]] {
    var found: [[Float]] = []
    for index in 0..<count {
      var vector = Tensor.random([width], seed: seed * 100 + UInt64(index)).values
      for other in found {
        let along = zip(vector, other).reduce(0) { $0 + $1.0 * $1.1 }
        for i in 0..<width { vector[i] -= along * other[i] }
      }
      let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
      found.append(vector.map { $0 / length })
    }
    return found
  }

  @Test func schedule() {
    let configuration = OptimizerConfiguration(warmup: 10, floor: 0.2)
    #expect(abs(configuration.schedule(step: 0, progress: 0) - 0.1) < 1e-6)
    #expect(abs(configuration.schedule(step: 4, progress: 0) - 0.5) < 1e-6)
    #expect(configuration.schedule(step: 9, progress: 0) == 1)
    #expect(abs(configuration.schedule(step: 100, progress: 0.5) - 0.6) < 1e-6)
    #expect(abs(configuration.schedule(step: 100, progress: 1) - 0.2) < 1e-6)
    #expect(configuration.schedule(step: 100, progress: 7) == configuration.schedule(step: 100, progress: 1))
    #expect(OptimizerConfiguration(warmup: 0).schedule(step: 0, progress: 0) == 1)
    let falling = (0...20).map { configuration.schedule(step: 100, progress: Double($0) / 20) }
    #expect(zip(falling, falling.dropFirst()).allSatisfy { $0 > $1 })
  }

  @Test func gradientsAreClippedToTheirNorm() {
    func updated(_ values: [Float], clip: Float) -> (norm: Float, left: [Float], moment: [Float]) {
      let parameters = Parameters(seed: 1)
      let weight = parameters.make("weight", [2], .vector, .constant(0))
      let optimizer = Optimizer(parameters, OptimizerConfiguration(clip: clip))
      let gradients = Gradients(parameters)
      gradients.tensor(weight).copy(from: Tensor(values, shape: [2]))
      let norm = optimizer.update(gradients, progress: 0)
      return (norm, gradients.tensor(weight).values, optimizer.state["optimizer.first.weight"]!.values)
    }
    let clipped = updated([30, 40], clip: 5)
    #expect(clipped.norm == 50)
    expectClose(clipped.left, [3, 4])
    expectClose(clipped.moment, [0.3, 0.4])
    #expect(updated([3, 4], clip: 6).left == [3, 4])
  }

  @Test(arguments: [Float.nan, .infinity])
  func gradientsThatAreNotFiniteUpdateNothing(value: Float) {
    let parameters = Parameters(seed: 1)
    let weight = parameters.make("weight", [4, 4], .hidden, .normal(standardDeviation: 1))
    let bias = parameters.make("bias", [4], .vector, .constant(1))
    let optimizer = Optimizer(parameters, OptimizerConfiguration())
    let gradients = Gradients(parameters)
    gradients.flat.fill(1)
    gradients.tensor(bias)[2] = value
    let before = (weight.value.values, bias.value.values, optimizer.state.mapValues(\.values))
    #expect(!optimizer.update(gradients, progress: 0).isFinite)
    #expect(weight.value.values == before.0)
    #expect(bias.value.values == before.1)
    #expect(optimizer.state.mapValues(\.values) == before.2)
    #expect(optimizer.step == 0)
  }
}
