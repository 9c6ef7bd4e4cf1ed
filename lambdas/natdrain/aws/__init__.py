"""The calls to AWS, and its error codes."""
