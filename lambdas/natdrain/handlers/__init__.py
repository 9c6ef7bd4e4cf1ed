"""The Lambda functions: one for each state of the workflow that decides something."""
