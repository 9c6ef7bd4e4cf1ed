"""The one table, and an object for each kind of thing in it."""
