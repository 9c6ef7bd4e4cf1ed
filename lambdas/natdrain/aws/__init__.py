"""The calls to AWS, its error codes, and the clock."""
