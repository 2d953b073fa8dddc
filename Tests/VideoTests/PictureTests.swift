import Foundation
import Testing

@testable import Video

struct PictureTests {
  private let small = Picture(height: 2, width: 2, pixels: [0, 0, 0, 10, 10, 10, 20, 20, 20, 30, 30, 255])

  @Test func everyNewPixelIsTheMeanOfItsArea() {
    #expect(small.resized(height: 1, width: 1).pixels == [15, 15, 71])
    #expect(small.resized(height: 2, width: 2) == small)
    #expect(small.resized(height: 4, width: 4) == small.enlarged(by: 2))
    // Three columns to two: the middle one is shared.
    let row = Picture(height: 1, width: 3, pixels: [0, 0, 0, 90, 90, 90, 30, 30, 30])
    #expect(row.resized(height: 1, width: 2).pixels == [30, 30, 30, 50, 50, 50])
  }

  @Test func pastingIsTheInverseOfCropping() {
    var canvas = Picture(height: 5, width: 4, red: 1, green: 2, blue: 3)
    canvas.paste(small, top: 2, left: 1)
    #expect(canvas.cropped(top: 2, left: 1, height: 2, width: 2) == small)
    #expect(
      canvas.cropped(top: 0, left: 0, height: 2, width: 4)
        == Picture(height: 2, width: 4, red: 1, green: 2, blue: 3))
    #expect(canvas.centreSquare() == canvas.cropped(top: 0, left: 0, height: 4, width: 4))
  }

  @Test func sheetHoldsItsFramesWhereTheyBelong() {
    var sheet = ContactSheet(scale: 3, margin: 4)
    sheet.append("", [small, small])
    sheet.append("", [small])
    let picture = sheet.picture()
    #expect(picture.height == 4 + 2 * (6 + 4))
    #expect(picture.width == 4 + 2 * (6 + 4))
    for (top, left) in [(4, 4), (4, 14), (14, 4)] {
      #expect(picture.cropped(top: top, left: left, height: 6, width: 6) == small.enlarged(by: 3))
    }
    let ground = picture.cropped(top: 14, left: 14, height: 6, width: 6)
    #expect(ground == Picture(height: 6, width: 6, red: 24, green: 24, blue: 28))
  }

  @Test func labelsAndHeadingsAreInk() {
    var sheet = ContactSheet(scale: 1, columns: ["t=1"])
    sheet.append("real", [Picture(height: 20, width: 20)])
    #expect(sheet.picture().pixels.contains(255))
    var empty = ContactSheet(scale: 1)
    empty.append("", [Picture(height: 20, width: 20)])
    #expect(!empty.picture().pixels.contains(255))
  }
}
