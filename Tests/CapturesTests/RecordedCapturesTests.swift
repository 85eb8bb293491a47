import CaptureSupport
import Captures
import Testing

@Suite struct RecordedCapturesTests {
    @Test func everyRecordedCaptureIsReadToItsEnd() throws {
        let names =
            CaptureSupport.captureNames(prefix: "cman/") + CaptureSupport.captureNames(prefix: "corosync/")
            + CaptureSupport.captureNames(prefix: "openais/")
        #expect(names.count == 220)
        for name in names {
            #expect(try !CaptureSupport.datagrams(of: name).isEmpty, "\(name)")
        }
    }
}
