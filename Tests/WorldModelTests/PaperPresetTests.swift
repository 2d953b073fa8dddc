import Autograd
import Testing

@testable import WorldModel

@Suite struct PaperPresetTests {
  /// The paper's CoinRun models are built whole and run once: what they take and give has the paper's shapes.
  @Test func coinRunIsBuiltAndShaped() throws {
    let genie = try Genie(.paperCoinRun, seed: 1)
    genie.dynamics.actionVectors.copy(from: genie.latentActions.quantizer.codebook)
    let arena = Arena()
    let frames = FrameBatch(
      clips: 1, time: 2, height: 64, width: 64,
      bytes: (0..<2 * 64 * 64 * 3).map { UInt8(truncatingIfNeeded: $0 &* 37) })
    let codes = genie.tokenizer.encode(frames, arena: arena)
    #expect(codes.count == 2 * 256 && codes.allSatisfy { $0 >= 0 && $0 < 1024 })
    #expect(genie.tokenizer.decode(codes, clips: 1, time: 2, arena: arena).bytes.count == frames.bytes.count)
    let actions = genie.latentActions.infer(frames, arena: arena)
    #expect(actions.count == 1 && (0..<6).contains(actions[0]))
    let tape = Tape(arena: arena)
    let hidden = genie.dynamics.hidden(
      tape, tokens: codes, actions: [Dynamics.noAction] + actions, batch: 1, time: 2)
    #expect(hidden.shape == [1, 2, 256, 512])
    let logits = genie.dynamics.head(tape, hidden)
    #expect(logits.shape == [1, 2, 256, 1024])
    #expect(logits.value.values.allSatisfy { $0.isFinite })
    #expect(genie.dynamics.transformer.configuration.blocks == 12)
  }
}
