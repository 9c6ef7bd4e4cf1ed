"""The decisions, pure: what one execution does next to its gateway.

`leave/` takes addresses off: `decide` is the one decision, `targets` finds what a request names, `progress`
adds what a look shows, `answers` records what EC2 answered. `after/` is what becomes of the allocations then.
`step` is what a decision looks like between two states, and `conclude` how an execution ended.
"""
