"""Facts into words: the only room with sentences."""
