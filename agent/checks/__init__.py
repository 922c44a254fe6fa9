"""Slow checks beside the local rules: remote guardrails and classifiers, asked only where the policy names them.

`runner.Checks` asks; one module per service knows what it is sent and how it answers; `onnx` runs a classifier on this
machine. What a finding leads to is not decided here: `inspection/outside.py` does, by the policy's guardrails.
Nothing of a text or a key is ever logged.
"""
