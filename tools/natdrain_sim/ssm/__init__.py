"""Parts of Systems Manager that moto lacks."""
