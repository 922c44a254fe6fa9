"""Generators of the evaluation sets: made-up values in the forms that vendors and registries document."""
