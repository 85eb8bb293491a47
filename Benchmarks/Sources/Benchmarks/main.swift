import Glibc

var report = Report()
HelloBenchmark.run(&report)

for failure in report.failures { print("FAIL \(failure)") }
exit(report.failures.isEmpty ? 0 : 1)
