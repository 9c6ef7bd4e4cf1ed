"""What becomes of an allocation whose address has left."""
