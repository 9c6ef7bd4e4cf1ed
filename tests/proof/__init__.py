"""The proof: every AWS call meets every fault."""
