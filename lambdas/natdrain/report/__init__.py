"""Facts into words: the only room that writes sentences. Nothing reads a sentence to find a fact."""
