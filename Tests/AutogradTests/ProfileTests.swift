import Testing

@testable import Autograd

@Suite("Profile")
struct ProfileTests {
  private func run(_ profile: Profile?, recording: Bool) {
    let parameters = Parameters(seed: 1)
    let weight = parameters.make("weight", [16, 32], .hidden, .constant(0.5))
    let tape =
      recording
      ? Tape(arena: Arena(), gradients: Gradients(parameters)) : Tape(arena: Arena())
    tape.profile = profile
    let x = tape.constant(tape.arena.zeros([8, 16]))
    let y = tape.linear(x, weight: tape.variable(weight))
    let loss = tape.squaredError(tape.scale(y, by: 2), tape.arena.zeros([8, 32]), scale: 1)
    if recording { tape.backward(from: loss) }
  }

  @Test("Forward and backward passes are told apart, by name, with their work")
  func recording() throws {
    let profile = Profile()
    run(profile, recording: true)
    let names = ["linear 16 x 32", "scale", "squaredError"]
    #expect(Set(profile.entries.keys) == Set(names + names.map { $0 + " backward" }))
    let forward = try #require(profile.entries["linear 16 x 32"])
    #expect(forward.calls == 1 && forward.flops == 2 * 8 * 16 * 32 && forward.seconds > 0)
    #expect(profile.entries["linear 16 x 32 backward"]?.flops == 2 * forward.flops)
  }

  @Test("A tape that does not record has forward passes only")
  func computing() {
    let profile = Profile()
    run(profile, recording: false)
    run(profile, recording: false)
    #expect(Set(profile.entries.keys) == ["linear 16 x 32", "scale", "squaredError"])
    #expect(profile.entries["scale"]?.calls == 2)
  }

  @Test("Marks share out all the time since the beginning")
  func marks() throws {
    let profile = Profile()
    let start = ContinuousClock.now
    profile.begin()
    for round in 0..<1000 { profile.mark(round % 2 == 0 ? "even" : "odd", flops: 3) }
    let all = ContinuousClock.now - start
    let seconds = profile.entries.values.reduce(0) { $0 + $1.seconds }
    #expect(seconds > 0 && .seconds(seconds) <= all)
    #expect(profile.entries["odd"]?.flops == 1500)
    let sum = Profile()
    sum.add(profile)
    sum.add(profile)
    #expect(sum.entries["even"]?.calls == 1000)
    sum.clear()
    #expect(sum.entries.isEmpty)
  }
}
