"""Parts of Service Quotas that moto lacks."""
