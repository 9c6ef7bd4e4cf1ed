"""Parts of Step Functions that moto lacks."""
