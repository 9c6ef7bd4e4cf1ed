"""What the functions share: look, then decide; answer."""
