"""The asset that is shipped to Lambda."""
