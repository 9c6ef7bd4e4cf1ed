"""Parts of EventBridge Scheduler that moto lacks."""
