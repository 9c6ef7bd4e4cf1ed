"""The decisions, pure: what one execution does next to its gateway.

`leave/` takes addresses off, and `join/` associates them: in each `decide` is the one decision, `progress`
adds what a look shows, `answers` records what EC2 answered. `after/` is what becomes of the allocations that
have left. `step` is what a decision looks like between two states, and `conclude` how an execution ended.
"""
