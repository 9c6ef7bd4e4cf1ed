"""Parts of CloudWatch that moto lacks."""
