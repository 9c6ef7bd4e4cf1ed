"""The allocation after its address has left: one strategy for each `AfterDrain`."""
