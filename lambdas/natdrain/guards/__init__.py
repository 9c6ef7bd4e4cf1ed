"""The guards: pure functions of one look and the addresses that are to leave. `judging` asks them all."""
