"""The Lambda functions, one to a file, each named after the state that invokes it."""
