"""The decisions, pure."""
