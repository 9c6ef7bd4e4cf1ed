"""What is shipped to Lambda."""
