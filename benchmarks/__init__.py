"""Benchmarks of natdrain against what people use today."""
