"""Addresses that leave their gateway."""
