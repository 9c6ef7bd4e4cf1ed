"""Parts of Lambda that moto lacks."""
