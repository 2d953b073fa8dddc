/// A picture of 8 x 8 pixels, drawn with letters: a letter stands for a colour, a dot for nothing.
struct PlatformerBitmap {
  static let size = 8

  let rows: [[Character]]

  init(_ drawing: String) {
    rows = drawing.split(whereSeparator: \.isWhitespace).map(Array.init)
    precondition(
      rows.count == Self.size && rows.allSatisfy { $0.count == Self.size },
      "a bitmap has 8 rows of 8 letters: \(drawing)")
  }

  private init(rows: [[Character]]) {
    self.rows = rows
  }

  /// Looking the other way.
  var mirrored: PlatformerBitmap { PlatformerBitmap(rows: rows.map { $0.reversed() }) }
  var upsideDown: PlatformerBitmap { PlatformerBitmap(rows: rows.reversed()) }
}

struct PlatformerColor: Hashable {
  let red: UInt8
  let green: UInt8
  let blue: UInt8

  init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
    (self.red, self.green, self.blue) = (red, green, blue)
  }
}

extension PlatformerBitmap {
  static let sky = PlatformerBitmap("aaaaaaaa aaaaaaaa aaaaaaaa aaaaaaaa aaaaaaaa aaaaaaaa aaaaaaaa aaaaaaaa")

  static let cloudLeft = PlatformerBitmap(
    """
    aaaaaaaa
    aaaaaacc
    aaaacccc
    aacccccc
    accccccc
    cccccccc
    aacccccc
    aaaaaaaa
    """)

  static let cloudRight = PlatformerBitmap(
    """
    aaaaaaaa
    ccaaaaaa
    cccaaaaa
    cccccaaa
    ccccccaa
    cccccccc
    cccccaaa
    aaaaaaaa
    """)

  static let coin = PlatformerBitmap(
    """
    aaaaaaaa
    aayyyyaa
    ayyYYyya
    ayYyyqya
    ayYyyqya
    ayyqqyya
    aayyyyaa
    aaaaaaaa
    """)

  static let spike = PlatformerBitmap(
    """
    aaaaaaaa
    asaaasaa
    asaaasaa
    asSaasSa
    ssSassSa
    ssSassSa
    sssSsssS
    kkkkkkkk
    """)

  static let flag = PlatformerBitmap(
    """
    awwaaaaa
    awkkwwkk
    awkkwwkk
    awwwkkww
    awwwkkww
    awkkwwkk
    awkkwwkk
    awaaaaaa
    """)

  static let pole = PlatformerBitmap(
    """
    awaaaaaa
    awaaaaaa
    awaaaaaa
    awaaaaaa
    awaaaaaa
    awaaaaaa
    awaaaaaa
    awaaaaaa
    """)

  static let ground = PlatformerBitmap(
    """
    gggggggg
    gggggggg
    GgGGgGGg
    fGffGffG
    ffffffff
    ffFfffff
    ffffffFf
    ffffffff
    """)

  static let soil = PlatformerBitmap(
    """
    ffffffff
    fFffffff
    ffffffff
    fffffFff
    ffffffff
    ffFfffff
    ffffffFf
    ffffffff
    """)

  static let stone = PlatformerBitmap(
    """
    ffffffff
    ffFFFfff
    fFFFFFff
    fFFFFFff
    ffFFFfff
    ffffffff
    fFffffFf
    ffffffff
    """)

  static let brick = PlatformerBitmap(
    """
    bbbbbbbB
    bbbbbbbB
    bbbbbbbB
    BBBBBBBB
    bbbBbbbb
    bbbBbbbb
    bbbBbbbb
    BBBBBBBB
    """)
}

extension PlatformerBitmap {
  static let walkingApart = PlatformerBitmap(
    """
    ..mmmm..
    .mmmmmm.
    .mmmwkm.
    dmmmwkoo
    dddmmmm.
    .ddmppm.
    ..mppm..
    .oo..oo.
    """)

  static let walkingTogether = PlatformerBitmap(
    """
    ..mmmm..
    .mmmmmm.
    .mmmwkm.
    dmmmwkoo
    dddmmmm.
    .ddmppm.
    ..mppm..
    ...ooo..
    """)

  static let wingsUp = PlatformerBitmap(
    """
    dd.mmmm.
    dddmmmmm
    .dddmwkm
    .mddmwko
    .mmmmmmo
    ..mmppm.
    ..mppm..
    .oo.....
    """)

  static let wingsDown = PlatformerBitmap(
    """
    ...mmmm.
    ..mmmmmm
    ..mmmwkm
    .mddmwko
    .dddmmmo
    dddmppm.
    dd.mpm..
    ..oo....
    """)

  static let dead = PlatformerBitmap(
    """
    .oo..oo.
    ..mppm..
    .ddmppm.
    dddmmmm.
    dmmkmkoo
    .mmmkmm.
    .mmkmkm.
    ..mmmm..
    """)

  static let won = PlatformerBitmap(
    """
    ddmmmmdd
    ddmmmmdd
    .dwkwkd.
    .mwkwkm.
    .mmoomm.
    ..mppm..
    ..mppm..
    .oo..oo.
    """)
}
