"""The worked examples of the notes, a module a topic: teaching code, and what the goldens run."""
