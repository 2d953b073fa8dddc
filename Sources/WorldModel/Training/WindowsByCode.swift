import Autograd

/// Some of the windows in which each code of the tokenizer occurs: so that windows can be drawn with every code as likely
/// as any other, however seldom it is seen.
struct WindowsByCode {
  /// `[codes, most]`: numbers of windows, from 1; 0 where there is none. A tensor, because checkpoints keep it.
  let table: Tensor
  private let most: Int
  private var met: [Int]
  private let key = RandomKey(seed: 0).folded(in: "windows by code")

  /// - Parameter most: windows that are kept of a code: enough that a rare code's are not always the same.
  init(codes: Int, most: Int = 64) {
    table = Tensor(shape: [codes, most])
    self.most = most
    met = [Int](repeating: 0, count: codes)
  }

  /// Takes note of a window that shows a code; each that was met stays with the same probability.
  mutating func meet(_ window: Int, code: Int) {
    let count = met[code]
    met[code] += 1
    let place = count < most ? count : key.integer(UInt64(code) << 32 + UInt64(count), below: count + 1)
    if place < most { table[code * most + place] = Float(window + 1) }
  }

  /// A window that shows a code which is as likely as any other; nil as long as none was met.
  func draw(_ key: RandomKey) -> Int? {
    let used = (0..<table.count / most).filter { table[$0 * most] > 0 }
    guard !used.isEmpty else { return nil }
    let first = used[key.integer(0, below: used.count)] * most
    let count = (first..<first + most).prefix { table[$0] > 0 }.count
    return Int(table[first + key.integer(1, below: count)]) - 1
  }
}
