"""Amazon Bedrock's Converse API, both ways: requests, answers, streams.

Facts are of the service model `bedrock-runtime` 2023-09-30 (as botocore ships it) and of the Amazon Bedrock API
reference and user guide. InvokeModel is another format: whatever the model's maker speaks.
"""

from __future__ import annotations

from agent.translation.bedrock_converse.translator import BedrockConverse

__all__ = ["BedrockConverse"]
