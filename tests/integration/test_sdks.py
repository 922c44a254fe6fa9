"""The official SDKs through the proxy, as programs on the machine use them: with the machine's CA, and nothing else
changed."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator

import boto3
import cohere
import httpx
import openai
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError
from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials

from tests.fakes.misbehaviour import Canned
from tests.fakes.provider import Provider, contains
from tests.integration.agent_process import AgentProcess
from tests.integration.formats import AMAZON, BEDROCK, FORMATS, SSE, Format
from tests.integration.prompts import made_up_key

GONE = "[REDACTED:openai_api_key]"
MODEL = "m"


def named(name: str) -> Format:
    return next(each for each in FORMATS if each.name == name)


def answers(provider: Provider, path: str, name: str, pieces: list[str], kind: str = SSE) -> None:
    fields = ((b"content-type", kind.encode()),)
    provider.script(path, Canned(headers=fields, body=named(name).stream(pieces)))


@pytest.fixture
def http(agent: AgentProcess) -> Iterator[httpx.Client]:
    """A client that goes through the proxy."""
    context = ssl.create_default_context(cafile=str(agent.ca_file))
    with httpx.Client(proxy=f"http://127.0.0.1:{agent.proxy_port}", verify=context) as client:
        yield client


def bedrock(agent: AgentProcess, monkeypatch: pytest.MonkeyPatch, *, bearer: bool):  # botocore has no types
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_BEARER_TOKEN_BEDROCK", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "none"}
    if bearer:
        monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key")
        keys = {}
    proxies = {"https": f"http://127.0.0.1:{agent.proxy_port}"}
    return boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        verify=str(agent.ca_file),
        config=Config(proxies=proxies, retries={"max_attempts": 0}),
        **keys,
    )


def claude(text: str) -> bytes:
    return json.dumps(named("bedrock-claude").ask(text)).encode()


def chunks_of(answer: dict[str, object]) -> str:
    """What a Claude program puts together."""
    documents = [json.loads(each["chunk"]["bytes"]) for each in answer["body"]]  # type: ignore[attr-defined]
    return "".join(each["delta"]["text"] for each in documents if each["type"] == "content_block_delta")


def test_bedrock_with_a_bearer_token_is_judged_both_ways(
    agent: AgentProcess, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = made_up_key(), made_up_key()
    answers(
        provider,
        "/model/m/invoke-with-response-stream",
        "bedrock-claude",
        ["it is ", theirs[:20], theirs[20:], "!"],
        AMAZON,
    )
    client = bedrock(agent, monkeypatch, bearer=True)
    answer = client.invoke_model_with_response_stream(modelId=MODEL, body=claude(f"my {mine}"))
    assert chunks_of(answer) == f"it is {GONE}!"
    (received,) = provider.requests
    assert received.header("authorization") == "Bearer bedrock-api-key"
    assert contains(received.body, f"my {GONE}")


def test_bedrock_with_a_signature_goes_through_as_it_is_signed(
    agent: AgentProcess, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(provider, "/model/m/invoke-with-response-stream", "bedrock-claude", ["fine"], AMAZON)
    client = bedrock(agent, monkeypatch, bearer=False)
    assert chunks_of(client.invoke_model_with_response_stream(modelId=MODEL, body=claude("hello"))) == "fine"
    (received,) = provider.requests
    assert received.header("authorization").startswith("AWS4-HMAC-SHA256 ")
    assert (received.host, received.body) == (BEDROCK, claude("hello"))


def test_bedrock_with_a_signature_and_a_secret_is_an_exception_that_says_why(
    agent: AgentProcess, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = bedrock(agent, monkeypatch, bearer=False)
    messages = [{"role": "user", "content": [{"text": made_up_key()}]}]
    with pytest.raises(ClientError) as caught:
        client.converse(modelId=MODEL, messages=messages)
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert "the request is signed (AWS Signature Version 4)" in error["Message"]
    assert provider.requests == ()


def test_a_blocked_stream_of_bedrock_says_why(
    blocking_agent: AgentProcess, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the answer's last text or, where events came so fast that the client is behind, as an exception."""
    secret = made_up_key()
    pieces = ["well ", f"{secret} ", *["more "] * 99]
    answers(provider, "/model/m/invoke-with-response-stream", "bedrock-claude", pieces, AMAZON)
    client = bedrock(blocking_agent, monkeypatch, bearer=False)
    answer = client.invoke_model_with_response_stream(modelId=MODEL, body=claude("hello"))
    said = ""
    try:
        for each in answer["body"]:
            said += each["chunk"]["bytes"].decode()
    except EventStreamError as error:
        said += str(error)
    finally:
        answer["body"].close()
        client.close()
    assert "Not here, please: openai api key in the answer" in said
    assert secret not in said
    assert "more" not in said


def test_gemini_on_vertex_is_judged_both_ways(
    agent: AgentProcess, provider: Provider, http: httpx.Client
) -> None:
    mine, theirs = made_up_key(), made_up_key()
    path = "/v1beta1/projects/p/locations/us-east5/publishers/google/models/m:streamGenerateContent"
    answers(provider, path, "vertex-gemini", ["it is ", theirs[:20], theirs[20:], " so"])
    client = genai.Client(
        vertexai=True,
        project="p",
        location="us-east5",
        credentials=Credentials("ya29.example"),  # type: ignore[no-untyped-call]
        http_options=types.HttpOptions(httpx_client=http),
    )
    stream = client.models.generate_content_stream(model=MODEL, contents=f"my {mine}")
    assert "".join(each.text or "" for each in stream) == f"it is {GONE} so."
    (received,) = provider.requests
    assert contains(received.body, f"my {GONE}")
    assert received.host == "us-east5-aiplatform.googleapis.com"


def test_cohere_is_judged_both_ways(provider: Provider, http: httpx.Client) -> None:
    mine, theirs = made_up_key(), made_up_key()
    answers(provider, "/v2/chat", "cohere-v2", ["it is ", theirs[:20], theirs[20:], "!"])
    client = cohere.ClientV2(api_key="co-example", httpx_client=http)
    events = client.chat_stream(model=MODEL, messages=[{"role": "user", "content": f"my {mine}"}])
    said = "".join(
        each.delta.message.content.text  # type: ignore[union-attr]
        for each in events
        if each.type == "content-delta"
    )
    assert said == f"it is {GONE}!"
    assert contains(provider.requests[0].body, f"my {GONE}")


def test_openai_beside_chat_is_judged(provider: Provider, http: httpx.Client) -> None:
    mine = made_up_key()
    client = openai.OpenAI(api_key="example", http_client=http, max_retries=0)
    provider.script("/v1/embeddings", Canned(body=b'{"data":[{"embedding":[0.5],"index":0}],"model":"m"}'))
    assert client.embeddings.create(model=MODEL, input=[f"my {mine}"], encoding_format="float").data
    provider.script("/v1/audio/transcriptions", Canned(body=json.dumps({"text": f"say {mine}"}).encode()))
    heard = client.audio.transcriptions.create(model=MODEL, file=("a.wav", b"RIFF"), prompt=f"my {mine}")
    assert heard.text == f"say {GONE}"
    provider.script("/v1/images/edits", Canned(body=b'{"created":1,"data":[]}'))
    client.images.edit(model=MODEL, image=("a.png", b"PNG"), prompt=f"draw {mine}")
    line = json.dumps({"custom_id": "1", "url": "/v1/responses", "body": {"model": "m", "input": mine}})
    provider.script("/v1/files", Canned(body=b'{"id":"file-1","object":"file"}'))
    client.files.create(file=("b.jsonl", line.encode()), purpose="batch")
    assert len(provider.requests) == 4
    assert not any(mine.encode() in each.body for each in provider.requests)
    assert all(GONE.encode() in each.body for each in provider.requests)


def test_a_block_is_an_exception_with_its_words(blocking_agent: AgentProcess, provider: Provider) -> None:
    context = ssl.create_default_context(cafile=str(blocking_agent.ca_file))
    with httpx.Client(proxy=f"http://127.0.0.1:{blocking_agent.proxy_port}", verify=context) as http:
        client = openai.OpenAI(api_key="example", http_client=http, max_retries=2)
        with pytest.raises(openai.BadRequestError, match="Not here, please"):
            client.completions.create(model=MODEL, prompt=made_up_key())
        with pytest.raises(cohere.BadRequestError, match="Not here, please"):
            cohere.ClientV2(api_key="x", httpx_client=http).embed(
                model=MODEL, texts=[made_up_key()], input_type="search_query", embedding_types=["float"]
            )
    assert provider.requests == ()
