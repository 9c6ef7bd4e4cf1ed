"""The steps that functions share: `look_and_decide` is their heart, `task` answers the workflow."""
