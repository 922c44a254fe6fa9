"""Programs that use the vendors' SDKs as their documents show it: one process each, run by `tests.clients.matrix`.

Each reads errands from its standard input and says of each how it went: see `errands`. None imports anything of ours.
"""
