"""Benchmarks: the engine and the whole job beside what one would build with others, on one machine in one run."""
