"""The intake: whatever asks, an execution input or an alarm, becomes one `Request`."""
