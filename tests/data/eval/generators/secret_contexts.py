"""Texts in which credentials turn up in prompts and tool results. Each takes the value, marked, and its name."""

# ruff: noqa: E501  a template is one line

from __future__ import annotations

import json
import random
from collections.abc import Callable

from tests.data.eval.generators.marking import fill

type Context = Callable[[random.Random, str, str, str], str]
"""Draw, the name of the variable in capitals, the marked value, the vendor; the text."""

_HOSTS = ("api.corp.net", "gateway.internal.acme.dev", "svc.example.com", "backend.prod.local")


def snake(name: str) -> str:
    """`api_key`."""
    return name.lower().replace("__", "_")


def camel(name: str) -> str:
    """`apiKey`."""
    words = snake(name).split("_")
    return words[0] + "".join(word.capitalize() for word in words[1:])


def kebab(name: str) -> str:
    """`api-key`."""
    return snake(name).replace("_", "-")


def _time(draw: random.Random) -> str:
    return (
        f"2026-0{draw.randint(1, 9)}-{draw.randint(10, 28)}T{draw.randint(10, 23)}:{draw.randint(10, 59)}:"
        f"{draw.randint(10, 59)}.{draw.randint(100, 999)}Z"
    )


def dotenv(draw: random.Random, name: str, value: str, vendor: str) -> str:
    quote = draw.choice(["", "", '"', "'"])
    return f"# {vendor}\nNODE_ENV=production\nPORT=8080\n{name}={quote}{value}{quote}\nLOG_LEVEL=info\n"


def shell_export(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return f"#!/bin/bash\nset -euo pipefail\nexport {name}={value}\n./deploy.sh --env prod\n"


def shell_history(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return f"  498  cd ~/src/app\n  499  git pull --rebase\n  500  {name}={value} npm run migrate\n  501  kubectl get pods\n"


def curl_header(draw: random.Random, name: str, value: str, vendor: str) -> str:
    header = draw.choice(["Authorization: Bearer ", "X-API-Key: ", f"X-{kebab(name).title()}: "])
    return f"curl -sS -X POST https://{draw.choice(_HOSTS)}/v1/items -H '{header}{value}' -d '{{\"limit\": 5}}' | jq ."


def url_query(draw: random.Random, name: str, value: str, vendor: str) -> str:
    key = draw.choice(["api_key", "access_token", "token", "key"]) if draw.random() < 0.5 else snake(name)
    return f"GET https://{draw.choice(_HOSTS)}/v2/search?q=shoes&{key}={value}&page=2 HTTP/1.1"


def yaml_config(draw: random.Random, name: str, value: str, vendor: str) -> str:
    quote = draw.choice(["", '"', "'"])
    return f"{kebab(vendor)}:\n  enabled: true\n  {draw.choice([snake, camel])(name)}: {quote}{value}{quote}\n  timeout: 30s\n"


def json_config(draw: random.Random, name: str, value: str, vendor: str) -> str:
    body = {"service": vendor, draw.choice([snake, camel, str])(name): value, "retries": 3}
    return json.dumps(body, indent=draw.choice([None, 2]), ensure_ascii=False)


def json_in_json(draw: random.Random, name: str, value: str, vendor: str) -> str:
    inner = json.dumps({"env": {name: value}, "cwd": "/app"}, ensure_ascii=False)
    return json.dumps(
        {"type": "tool_result", "content": [{"type": "text", "text": inner}]}, ensure_ascii=False
    )


def toml_config(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return f'[services.{snake(vendor).replace(" ", "_")}]\n{snake(name)} = "{value}"\nregion = "eu-west-1"\n'


def properties(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return f"spring.application.name=orders\n{snake(name).replace('_', '.')}={value}\nserver.port=8443\n"


def xml_config(draw: random.Random, name: str, value: str, vendor: str) -> str:
    if draw.random() < 0.5:
        return f'<configuration>\n  <appSettings>\n    <add key="{name}" value="{value}" />\n  </appSettings>\n</configuration>'
    return f"<settings><server><id>{vendor}</id><{camel(name)}>{value}</{camel(name)}></server></settings>"


def python_code(draw: random.Random, name: str, value: str, vendor: str) -> str:
    if draw.random() < 0.5:
        return f'import requests\n\n{name} = "{value}"\n\ndef fetch():\n    return requests.get(URL, headers={{"x": {name}}})\n'
    return f'client = Client({snake(name)}="{value}", timeout=10)\nprint(client.models())\n'


def javascript(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return f"const client = new Client({{\n  {camel(name)}: '{value}',\n  region: 'eu',\n}});\nexport default client;\n"


def go_code(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return f'package main\n\nconst {camel(name)} = "{value}"\n\nfunc main() {{\n\tc := client.New({camel(name)})\n\tc.Run()\n}}\n'


def java_code(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return f'public final class Config {{\n    private static final String {name} = "{value}";\n    private Config() {{}}\n}}\n'


def rust_code(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return f'const {name}: &str = "{value}";\n\nfn main() {{\n    println!("{{}}", {name}.len());\n}}\n'


def csharp(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return f'var options = new Options {{ {camel(name).capitalize()} = "{value}" }};\nawait host.RunAsync(options);\n'


def php(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return f"<?php\ndefine('{name}', '{value}');\nreturn ['{snake(name)}' => getenv('{name}')];\n"


def log_line(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return (
        f"{_time(draw)} INFO  [main] starting worker\n"
        f"{_time(draw)} DEBUG [http-{draw.randint(1, 9)}] {vendor} client configured {snake(name)}={value}, retry=3\n"
        f"{_time(draw)} INFO  [main] ready\n"
    )


def http_log(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return f"> POST /v1/charges HTTP/2\n> Host: {draw.choice(_HOSTS)}\n> User-Agent: curl/8.5.0\n> Authorization: Bearer {value}\n> Accept: */*\n< HTTP/2 401\n"


def prose(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return draw.choice(
        [
            f"Hi, can you check why this {vendor} key stopped working? {value} It was fine yesterday.",
            f"I get a 401 from {vendor}. My {snake(name).replace('_', ' ')} is {value}, do I need another scope?",
            f"Use my {vendor} {snake(name).replace('_', ' ')}: {value}. Then list all projects.",
            f"for now just hardcode {name} as {value} and we rotate it later",
        ]
    )


def prose_german(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return f"Kannst du bitte prüfen, ob der Schlüssel für {vendor} noch geht? {name}: {value}. Danke und Gruß, Jörg"


def markdown(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return f"## Set-up\n\n1. Create an account at {vendor}.\n2. Set `{name}` to `{value}`.\n\n| variable | value |\n|---|---|\n"


def markdown_table(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return f"| variable | value | owner |\n|---|---|---|\n| {name} | {value} | platform |\n| REGION | eu-west-1 | platform |\n"


def csv_table(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return f"name,value,environment\nREGION,eu-west-1,prod\n{name},{value},prod\n"


def chat(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return f"[09:12] maria: does anyone have the {vendor} {snake(name).replace('_', ' ')} for staging?\n[09:13] tom: {name} {value}\n[09:13] maria: thx!\n"


def diff(draw: random.Random, name: str, value: str, vendor: str) -> str:
    sign = draw.choice("+-")
    return f'diff --git a/config.py b/config.py\nindex 83db48f..bf2a1c3 100644\n--- a/config.py\n+++ b/config.py\n@@ -1,4 +1,4 @@\n import os\n{sign}{name} = "{value}"\n TIMEOUT = 30\n'


def sql_insert(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return f"INSERT INTO settings (name, value, updated_at) VALUES ('{snake(name)}', '{value}', NOW());"


def html_page(draw: random.Random, name: str, value: str, vendor: str) -> str:
    if draw.random() < 0.5:
        return f'<form><input type="hidden" name="{snake(name)}" value="{value}"></form>'
    return f'<script>window.__CONFIG__ = {{ {camel(name)}: "{value}", debug: false }};</script>'


def stack_trace(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return (
        "Traceback (most recent call last):\n"
        f'  File "/app/worker.py", line {draw.randint(20, 300)}, in run\n    client.call()\n'
        f"vendor.errors.AuthError: invalid credentials ({snake(name)}={value!s})\n"
    )


def dockerfile(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return f'FROM python:3.13-slim\nWORKDIR /app\nENV {name}={value}\nCOPY . .\nCMD ["python", "main.py"]\n'


def compose(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return f"services:\n  api:\n    image: acme/api:1.4.2\n    environment:\n      - {name}={value}\n      - TZ=UTC\n"


def terraform(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return f'resource "aws_lambda_function" "api" {{\n  environment {{\n    variables = {{\n      {name} = "{value}"\n    }}\n  }}\n}}\n'


def kubernetes(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: {kebab(vendor).replace(' ', '-')}\nstringData:\n  {name}: {value}\n"


def kubernetes_env(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return f'        env:\n        - name: {name}\n          value: "{value}"\n        - name: TZ\n          value: UTC\n'


def actions(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return f"jobs:\n  deploy:\n    runs-on: ubuntu-latest\n    env:\n      {name}: {value}\n    steps:\n      - uses: actions/checkout@v4\n"


def powershell(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return f'$env:{name} = "{value}"\nInvoke-RestMethod -Uri https://{draw.choice(_HOSTS)}/v1 -Method Get\n'


def python_dict_repr(draw: random.Random, name: str, value: str, vendor: str) -> str:
    return f"environ({{'HOME': '/root', '{name}': '{value}', 'LANG': 'C.UTF-8', 'PWD': '/app'}})"


def command_flag(draw: random.Random, name: str, value: str, vendor: str) -> str:
    sign = draw.choice([" ", "="])
    return f"$ tool login --{kebab(name)}{sign}{value} --profile prod\nLogin Succeeded\n"


CONTEXTS: dict[str, Context] = {
    "dotenv": dotenv, "shell": shell_export, "shell history": shell_history, "header": curl_header,
    "url query": url_query, "yaml": yaml_config, "json": json_config, "json in json": json_in_json,
    "toml": toml_config, "properties": properties, "xml": xml_config, "python": python_code,
    "javascript": javascript, "go": go_code, "java": java_code, "rust": rust_code, "csharp": csharp, "php": php,
    "log": log_line, "http log": http_log, "prose": prose, "prose, german": prose_german, "markdown": markdown,
    "markdown table": markdown_table, "csv": csv_table, "chat": chat, "diff": diff, "sql": sql_insert,
    "html": html_page, "stack trace": stack_trace, "dockerfile": dockerfile, "compose": compose,
    "terraform": terraform, "kubernetes": kubernetes, "kubernetes env": kubernetes_env, "actions": actions,
    "powershell": powershell, "dict": python_dict_repr, "command flag": command_flag,
}  # fmt: skip

NAMELESS = frozenset({"http log"})
"""Contexts that show the value without its name: no place for values that have no shape."""


def long_text(draw: random.Random, text: str) -> str:
    """The text in the middle of a longer one, as a tool that reads files returns it."""
    filler = "\n".join(
        f"{number:5}\tdef step_{fill(draw, '{hex:4}')}(items: list[int]) -> int:  # part {number}"
        for number in range(1, draw.randint(20, 60))
    )
    return f"{filler}\n\n{text}\n\n{filler}\n"
