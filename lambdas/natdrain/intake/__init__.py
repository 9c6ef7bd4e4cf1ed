"""Whatever asks becomes one request."""
