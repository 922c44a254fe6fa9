"""The table of `docs/compatibility.md`: which client reaches which provider through the gateway, and in which ways.

`grid` says what is tried, `stage` tries it; `python -m tests.clients.matrix` prints the table, and
`tests/clients/test_matrix.py` holds it to what is expected.
"""
