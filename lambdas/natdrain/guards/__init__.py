"""The guards: each a pure function of one look and the addresses to drain."""
