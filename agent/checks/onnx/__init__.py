"""Classifiers on this machine: verified before they are loaded, run on the processor, never downloaded.

Needs the extra `onnx` (onnxruntime, tokenizers); both are imported only when a policy names a model.
"""
