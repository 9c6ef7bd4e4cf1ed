"""Measures natdrain against what people use today."""
