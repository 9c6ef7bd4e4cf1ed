"""The embedded cloud's fixtures."""

from support.embedded import cloud, nat, shared_cloud, subnet

__all__ = ["cloud", "nat", "shared_cloud", "subnet"]
