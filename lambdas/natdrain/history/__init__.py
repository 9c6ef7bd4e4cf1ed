"""Which address served which gateway from when to when; pure."""
