import FlyingFox
import Foundation

/// One page's conversation: each message is a request, and each gets its answer, in order.
struct VisitHandler: WSMessageHandler {
  let stage: Stage

  func makeMessages(for client: AsyncStream<WSMessage>) async throws -> AsyncStream<WSMessage> {
    let stage = stage
    return AsyncStream { continuation in
      let task = Task {
        await Self.converse(client, with: stage) { continuation.yield($0) }
        continuation.finish()
      }
      // A page that is closed in the middle of a step leaves when the step is done.
      continuation.onTermination = { _ in task.cancel() }
    }
  }

  private static func converse(
    _ client: AsyncStream<WSMessage>, with stage: Stage, answer: (WSMessage) -> Void
  ) async {
    let visit: Int
    do throws(PlayError) { visit = try await stage.enter() } catch {
      answer(message(.refused(error)))
      return answer(.close(.goingAway))
    }
    for await message in client {
      switch message {
      case .text(let text): answer(self.message(await stage.answer(.text(text), of: visit)))
      case .data(let bytes): answer(self.message(await stage.answer(.binary(bytes), of: visit)))
      case .close: break
      }
    }
    await stage.leave(visit)
  }

  private static func message(_ reply: Reply) -> WSMessage {
    struct Text: Encodable {
      var welcome: Welcome?
      var error: String?
      var done: Bool?
    }
    func text(_ text: Text) -> WSMessage {
      .text((try? JSONEncoder().encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "{}")
    }
    return switch reply {
    case .frame(let frame): .data(frame.bytes)
    case .sheet(let sheet): .data(sheet.bytes)
    case .welcome(let welcome): text(Text(welcome: welcome))
    case .done: text(Text(done: true))
    case .refused(let error): text(Text(error: error.description))
    }
  }
}
