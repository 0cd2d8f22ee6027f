"""Recipes: data set, model, compile arguments and what the run must reach, a file a topic."""
