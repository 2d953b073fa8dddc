/// A font of 3 x 5 pixels for labels: capitals, digits and a few signs; small letters become capitals.
enum BitmapFont {
  static let height = 5
  /// Width of a character with the gap after it.
  static let advance = 4

  /// Width in pixels of a line of text at scale 1.
  static func width(of text: String) -> Int { text.count * advance }

  /// Calls `body` with row and column of every inked pixel.
  static func draw(_ text: String, _ body: (_ row: Int, _ column: Int) -> Void) {
    for (index, character) in text.uppercased().enumerated() {
      let rows = glyphs[character] ?? glyphs["?"]!
      for (row, bits) in rows.enumerated() {
        for column in 0..<3 where bits >> (2 - column) & 1 == 1 { body(row, index * advance + column) }
      }
    }
  }

  /// Five rows a character, three bits a row, the leftmost pixel highest: an octal digit a row.
  private static let glyphs: [Character: [UInt8]] = {
    let rows: [Character: String] = [
      " ": "00000", "A": "25755", "B": "65656", "C": "34443", "D": "65556", "E": "74647", "F": "74644",
      "G": "34553", "H": "55755", "I": "72227", "J": "11152", "K": "55655", "L": "44447", "M": "57755",
      "N": "65555", "O": "25552", "P": "65644", "Q": "25563", "R": "65655", "S": "34216", "T": "72222",
      "U": "55557", "V": "55552", "W": "55775", "X": "55255", "Y": "55222", "Z": "71247", "0": "75557",
      "1": "26227", "2": "71747", "3": "71717", "4": "55711", "5": "74717", "6": "74757", "7": "71111",
      "8": "75757", "9": "75717", ".": "00002", ",": "00024", ":": "02020", "-": "00700", "+": "02720",
      "/": "11244", "%": "51245", "=": "07070", "(": "24442", ")": "21112", "_": "00007", "#": "57575",
      "?": "71202", "!": "22202", "<": "12421", ">": "42124", "*": "05250", "'": "22000", "|": "22222",
    ]
    return rows.mapValues { $0.utf8.map { $0 - UInt8(ascii: "0") } }
  }()
}

extension Picture {
  /// Writes a line of text in white with its upper left corner at (`top`, `left`); what does not fit is cut.
  mutating func write(_ text: String, top: Int, left: Int, scale: Int) {
    BitmapFont.draw(text) { row, column in
      for y in top + row * scale..<top + (row + 1) * scale where y >= 0 && y < height {
        for x in left + column * scale..<left + (column + 1) * scale where x >= 0 && x < width {
          let start = (y * width + x) * 3
          for channel in 0..<3 { pixels[start + channel] = 255 }
        }
      }
    }
  }
}
