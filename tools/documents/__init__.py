"""The generators of the documents' parts."""
