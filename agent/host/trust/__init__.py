"""The trust stores of the machine: which there are, what they hold of ours, and how a root gets in and out again.

One module per kind of store, each a `SettingDriver` of the journal, so that every root that was added can be removed.
What signs, and which roots are to be trusted, is the authority's affair.
"""
