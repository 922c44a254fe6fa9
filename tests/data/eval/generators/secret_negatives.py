"""What looks like a credential and is none: ids, hashes, public keys, placeholders, code that only names secrets."""

# ruff: noqa: E501  a template is one line

from __future__ import annotations

import base64
import random
from collections.abc import Iterator

from tests.data.eval.generators.marking import Row, fill, row

_TEMPLATES = r"""
uuid|request_id={uuid} trace_id={hex:32} span_id={hex:16}
uuid|INSERT INTO users (id, team_id) VALUES ('{uuid}', '{uuid}');
uuid|tenantId: {uuid}\nclientId: {uuid}\nsubscriptionId: {uuid}
git hash|commit {hex:40}\nAuthor: Dev <dev@example.com>\n\n    Fix token refresh
git hash|Merge {hex:7}..{hex:7} into main; see {hex:40} for the api key rename
git hash|  uses: actions/checkout@{hex:40} # v4.1.7\n  with:\n    token: ${{{{ secrets.GITHUB_TOKEN }}}}
hash|sha256:{hex:64}  token-service-1.4.2.tar.gz
hash|{hex:32}  secret-manager.zip\n{hex:32}  api_key_rotator.zip
hash|etag: "{hex:32}"\nx-amz-request-id: {up:16}\nx-amz-id-2: {b64:76}
hash|password_hash = "$2b$12${b64u:53}"
hash|root:$6${an:16}${an:86}:19800:0:99999:7:::
hash|"token_sha256": "{hex:64}", "created": 1767225600
image|image: registry.corp.net/auth/token-server@sha256:{hex:64}
lock file|"node_modules/js-tokens": {{\n  "version": "4.0.0",\n  "integrity": "sha512-{b64:86}=="\n}}
lock file|js-tokens@^4.0.0:\n  version "4.0.0"\n  integrity sha512-{b64:86}==
lock file|name = "secrecy"\nversion = "0.8.0"\nchecksum = "{hex:64}"
lock file|keyring==25.6.0 \\\n    --hash=sha256:{hex:64} \\\n    --hash=sha256:{hex:64}
lock file|github.com/golang-jwt/jwt/v5 v5.2.1 h1:{b64:43}=
lock file|      "sha256": "{hex:64}",\n      "revision": "{hex:40}"
source map|{{"version":3,"sources":["token.ts"],"mappings":"{b64:200}","names":["apiKey","secret"]}}
data uri|<img alt="key" src="data:image/png;base64,iVBORw0KGgo{b64:300}">
data uri|@font-face {{ src: url(data:font/woff2;base64,d09GMgABAAAAA{b64:220}) }}
public key|ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{b64:43} deploy@corp
public key|ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ{b64:330} me@laptop
public key|-----BEGIN PUBLIC KEY-----\n{b64:64}\n{b64:64}\n{b64:56}==\n-----END PUBLIC KEY-----
public key|-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{b64:64}\n{b64:64}\n={b64:4}\n-----END PGP PUBLIC KEY BLOCK-----
public key|STRIPE_PUBLISHABLE_KEY=pk_live_51{an:97}
public key|recipient: age1{low:58}
certificate|-----BEGIN CERTIFICATE-----\n{b64:64}\n{b64:64}\n{b64:64}\n{b64:32}\n-----END CERTIFICATE-----
certificate|SHA256 Fingerprint={HEX:2}:{HEX:2}:{HEX:2}:{HEX:2}:{HEX:2}:{HEX:2}:{HEX:2}:{HEX:2}
certificate|subjectKeyIdentifier: {HEX:40}\nauthorityKeyIdentifier: keyid:{HEX:40}
certificate request|-----BEGIN CERTIFICATE REQUEST-----\n{b64:64}\n{b64:44}==\n-----END CERTIFICATE REQUEST-----
placeholder|OPENAI_API_KEY=sk-...\nANTHROPIC_API_KEY=sk-ant-...
placeholder|OPENAI_API_KEY=your-openai-api-key-here
placeholder|export GITHUB_TOKEN=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
placeholder|api_key: <YOUR_API_KEY>\nsecret: <insert secret here>
placeholder|password: changeme
placeholder|DB_PASSWORD=********
placeholder|STRIPE_SECRET_KEY=sk_test_XXXXXXXXXXXXXXXXXXXXXXXX
placeholder|postgres://user:password@localhost:5432/db
placeholder|mongodb://<username>:<password>@<host>/test
placeholder|postgresql://${{DB_USER}}:${{DB_PASSWORD}}@${{DB_HOST}}/app
placeholder|redis://:$REDIS_PASSWORD@cache:6379
placeholder|Authorization: Bearer <token>
placeholder|Authorization: Bearer {{{{access_token}}}}
placeholder|Authorization: Basic $(echo -n user:pass \| base64)
placeholder|curl -u "$USER:$PASS" https://api.corp.net
placeholder|Passwort: (bitte im Tresor nachsehen)
placeholder|password = "REDACTED"
placeholder|token: "[FILTERED]"
placeholder|"client_secret": "**********"
reference|key: ${{{{ secrets.OPENAI_API_KEY }}}}
reference|password: {{{{ vault_db_password }}}}
reference|value: op://Private/github/token
reference|DB_PASSWORD: !Ref DatabasePassword
reference|password = var.db_password
reference|api_key = os.environ["OPENAI_API_KEY"]
reference|const token = process.env.SLACK_BOT_TOKEN;
reference|secretKeyRef:\n  name: openai-credentials\n  key: OPENAI_API_KEY
reference|password = data.aws_secretsmanager_secret_version.db.secret_string
reference|secretArn: arn:aws:secretsmanager:eu-west-1:{d:12}:secret:prod/db-{an:6}
reference|tokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token
reference|keyvault: https://acme-vault.vault.azure.net/secrets/db-password/{hex:32}
code|def rotate_secret(secret_name: str, new_password: str \| None = None) -> bool:\n    token = get_token(secret_name)\n    return token.rotate(new_password)
code|password = getpass.getpass("Password: ")
code|if not user.check_password(password): raise InvalidPassword("wrong password")
code|token = self._tokenizer.encode(text, add_special_tokens=False)
code|const {{ accessToken, refreshToken }} = await auth.refreshTokens(oldToken);
code|String apiKey = request.getHeader("X-Api-Key");
code|private readonly secretKey: string = this.config.getOrThrow('JWT_SECRET_KEY');
code|password: credentials?.password ?? undefined,
code|type Credentials struct {{\n\tPassword string `json:"password"`\n\tToken string `json:"token"`\n}}
code|assert response.json()["access_token"] == token.access_token
code|max_tokens=4096, eos_token_id=50256, pad_token="<pad>"
code|csrf_token = generate_csrf_token(session_id)
code|@pytest.fixture\ndef api_key(monkeypatch): monkeypatch.setenv("API_KEY", "test")
code|<input type="password" name="password" autocomplete="current-password" placeholder="Enter password">
code|passwordResetTokenExpirationInMinutes = 30
code|primaryKey: "order_items_pkey", foreignKey: "customer_id_fkey_2"
code|SECRET_NAME = "prod/payments/stripe-webhook-v2"
code|resource "aws_kms_key" "secrets" {{ description = "key for secrets-manager-v2" }}
code|authenticate(username, password, tokenUrl="https://id.corp.net/oauth2/v1/token")
code|sort_key = "created_at#desc"; partition_key="tenant#{d:6}"
code|"keyPath": "settings.auth.password.minimumLength", "default": 12
code|i18n.t('login.form.passwordForgotten', {{ key: 'auth.reset-token-2fa' }})
docs|The token endpoint returns an access_token and a refresh_token. Store the client_secret safely, never in git.
docs|AWS access key ids start with AKIA, temporary ones with ASIA, followed by 16 characters.
docs|Anthropic keys look like sk-ant-api03-..., OpenAI's like sk-proj-...
docs|aws_access_key_id = AKIAIOSFODNN7EXAMPLE
docs|Use `ghp_` tokens for classic and `github_pat_` for fine-grained access.
docs|Password must have at least 12 characters, one digit, and one symbol such as ! or #.
docs|The password policy changed: minimum length 14, rotation every 365 days.
prose|I forgot my password, how do I reset it in the admin console?
prose|Kannst du mir erklären, wie man ein Passwort sicher hasht? Ich nutze bcrypt mit 12 Runden.
prose|What is the difference between an API key and a bearer token?
prose|Le mot de passe doit contenir au moins 12 caractères.
prose|The secret: be kind. The key: patience. The token: a smile.
version|openssl 3.0.15+quic, secretstorage 3.3.3, tokenizers 0.21.0rc0
version|pkg:npm/%40auth/core@0.37.2?checksum=sha256:{hex:64}
timestamp|token_expires_at=1767225600123 issued=2026-01-01T00:00:00Z session=20260101T000000Z
order number|key=ORD-2026-{d:8} token_count={d:6} secret_santa_group={d:3}
base64 text|content: "{plain64}"
base64 text|X-Payload: {plain64}
object id|"_id": {{"$oid": "{hex:24}"}}, "apiKeyId": "{hex:24}"
object id|arn:aws:iam::{d:12}:role/token-rotator AROA{b32:17}
object id|cus_{an:14} sub_{an:24} pi_{an:24} price_{an:24}
object id|chatcmpl-{an:29} msg_{an:24} toolu_{an:24} req_{an:24}
object id|Slack channel C{up:10}, user U{up:10}, team T{up:10}
object id|https://docs.google.com/document/d/{b64u:44}/edit?usp=sharing
object id|https://www.youtube.com/watch?v={b64u:11}&list=PL{b64u:32}
object id|G-{up:10} UA-{d:8}-1 GTM-{up:7}
object id|projects/{d:12}/locations/eu/keyRings/main/cryptoKeys/token-key
minified|!function(e,t){{var n=t.token,r=e.key||"",i="{an:8}";e.secretKey=n?r:i}}(window,{{token:!0}});
minified|.{an:6}_{an:5}{{color:#{hex:6}}}.token_{an:5}{{width:{d:2}px}}
css|--token-color-primary: #{hex:6}; --key-shadow: 0 1px 2px rgba(0,0,0,.{d:2});
dns|_acme-challenge.corp.net. 300 IN TXT "{b64u:43}"
dns|google-site-verification={b64u:43}
dns|default._domainkey IN TXT "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQ{b64:200}"
csp|Content-Security-Policy: script-src 'nonce-{b64u:22}' 'sha256-{b64:43}='
signature|signature: "{b64:340}=="\nthinking: hidden
signature|Digest: SHA-256={b64:43}=\nETag: W/"{b64u:27}"
encrypted|password: ENC[AES256_GCM,data:{b64:24},iv:{b64:43}=,tag:{b64:22}==,type:str]
encrypted|$ANSIBLE_VAULT;1.1;AES256\n{d:80}\n{d:80}
encrypted|SealedSecret: AgB{b64:300}
assembly|mov rax, 0x{hex:16}\ncmp [key_ptr], rax ; token table
colour|secret_key_color = "#{hex:6}"; api_key_icon = "fa-key"
test name|test_password_with_special_chars_1_is_rejected PASSED
error|KeyError: 'SECRET_KEY_BASE_{up:4}' not found in settings (token=None)
error|botocore.exceptions.NoCredentialsError: Unable to locate credentials
error|401 Unauthorized: invalid x-api-key (request_id req_{an:24})
harness|<system-reminder>Never print tokens, keys or passwords. If a secret is found, say [secret].</system-reminder>
harness|{{"name": "get_secret", "description": "Returns the value of a secret by name", "input_schema": {{"type": "object", "properties": {{"secret_name": {{"type": "string"}}}}}}}}
"""

_SENTENCES = (
    "The quick brown fox jumps over the lazy dog and reads the handbook.",
    "Please note that the meeting about tokens was moved to Tuesday.",
    "{'level': 'info', 'message': 'nothing to see here', 'count': 12}",
    "SELECT id, name FROM customers WHERE active = 1 ORDER BY name LIMIT 20;",
)
_FRAMES = (
    "{}",
    "{}",
    "```\n{}\n```\nWhat does this do?",
    "Here is the output:\n{}\n\nAnything suspicious in there?",
    "// see below\n{}\n// end",
)


def rows(draw: random.Random) -> Iterator[Row]:
    """Each template a few times, in frames."""
    for line in _TEMPLATES.strip("\n").splitlines():
        context, template = (part.replace("\0", "|") for part in line.replace("\\|", "\0").split("|", 1))
        for _ in range(5):
            yield row(
                draw.choice(_FRAMES).format(_text(draw, template)),
                family="secret",
                context=context,
                source="own, after what documentation, lock files and logs hold",
            )


def _text(draw: random.Random, template: str) -> str:
    plain = base64.b64encode(draw.choice(_SENTENCES).encode()).decode()
    text = template.replace("\\\\", "\0").replace("\\n", "\n").replace("\\t", "\t").replace("\0", "\\")
    text = text.replace("{plain64}", plain).replace("{{", "\1")
    for doubled, single in (("}}}}", "\2\2"), ("}}}", "}\2"), ("}}", "\2")):
        text = text.replace(doubled, single)
    return fill(draw, text).replace("\1", "{").replace("\2", "}")
