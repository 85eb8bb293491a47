import Testing

@Test func nothingIsSkippedInCI() {
    #expect(!Requirements.mustRun || Requirements.missing == nil)
}
