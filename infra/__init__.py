"""The CDK stack of natdrain."""
