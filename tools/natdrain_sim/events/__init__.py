"""Parts of EventBridge that moto lacks."""
