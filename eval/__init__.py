"""Question sets, runs, scores and benchmarks."""
