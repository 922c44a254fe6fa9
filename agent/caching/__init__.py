"""Answers that were given before: exact and semantic cache of the gateway.

`building.make_cache` makes the `cache.AnswerCache` that a policy asks for; `question` has what it is asked and answers,
`control` what clients say about it. Questions get their names in `canonical`, are compared by meaning in `prompts`,
`vectors` and `particulars`; `admission` says what is never kept; `sqlite` and `valkey` keep it, sealed.

Nothing is imported here: who reads the local store from the command line needs little of it.
"""
