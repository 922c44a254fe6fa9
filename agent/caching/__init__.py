"""Answers that were given before: exact and semantic cache of the gateway."""
