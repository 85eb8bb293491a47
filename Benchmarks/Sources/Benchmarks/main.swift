import Glibc

var report = Report()
HelloBenchmark.run(&report)
TokenBenchmark.run(&report)
EngineBenchmark.run(&report)
SimulationBenchmark.run()

for failure in report.failures { print("FAIL \(failure)") }
exit(report.failures.isEmpty ? 0 : 1)
