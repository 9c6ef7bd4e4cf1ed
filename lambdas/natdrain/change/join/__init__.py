"""Allocations that join a gateway."""
