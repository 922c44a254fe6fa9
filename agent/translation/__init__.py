"""Translation between wire formats, hub and spoke: every format reads into and writes from `model.conversation`.

Pure. One package per format, each a `base.Translator`; no pair of formats knows the other. The dialects
(`agent.dialects`) find texts in a body that keeps its format; a translator is only used where client and provider
differ, or where the gateway must know what a stream says before it commits itself.
"""
