"""The proof: every AWS call spoilt by every fault."""
