"""Plain values: gateways, looks, drains, errors."""
