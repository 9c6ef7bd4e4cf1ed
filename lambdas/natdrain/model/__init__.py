"""Plain values: gateways, looks, requests, drains, outcomes, problems, errors; with explicit JSON keys."""
