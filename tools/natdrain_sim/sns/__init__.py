"""Parts of SNS that moto lacks."""
