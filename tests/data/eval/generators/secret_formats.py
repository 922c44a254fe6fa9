"""Credentials as vendors document them: prefix, alphabet, length. No rule of ours was read for these.

Each line: type, template, the vendor's name, names that people give the variable. A template that starts with `=` is
shapeless: only its name tells what it is, so it never stands without one. `§` parts what is secret from what may stand
before and after it: the host of a webhook is public.
"""

# ruff: noqa: E501  a template is one line

from __future__ import annotations

import base64
import json
import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from tests.data.eval.generators.marking import ALPHABETS, fill, mark, text_of

_TABLE = """
openai_api_key|sk-proj-{b64u:74}T3BlbkFJ{b64u:74}|OpenAI|OPENAI_API_KEY
openai_api_key|sk-svcacct-{b64u:74}T3BlbkFJ{b64u:74}|OpenAI|OPENAI_API_KEY OPENAI_KEY
openai_api_key|sk-admin-{b64u:74}T3BlbkFJ{b64u:74}|OpenAI|OPENAI_ADMIN_KEY
openai_legacy_api_key|sk-{an:20}T3BlbkFJ{an:20}|OpenAI|OPENAI_API_KEY
anthropic_api_key|sk-ant-api03-{b64u:93}AA|Anthropic|ANTHROPIC_API_KEY CLAUDE_API_KEY
anthropic_api_key|sk-ant-admin01-{b64u:93}AA|Anthropic|ANTHROPIC_ADMIN_KEY
anthropic_api_key|sk-ant-oat01-{b64u:93}AA|Anthropic|CLAUDE_CODE_OAUTH_TOKEN
huggingface_token|hf_{Alpha:34}|Hugging Face|HF_TOKEN HUGGING_FACE_HUB_TOKEN
groq_api_key|gsk_{an:52}|Groq|GROQ_API_KEY
replicate_api_token|r8_{an:37}|Replicate|REPLICATE_API_TOKEN
perplexity_api_key|pplx-{an:48}|Perplexity|PERPLEXITY_API_KEY PPLX_API_KEY
xai_api_key|xai-{an:80}|xAI|XAI_API_KEY
openrouter_api_key|sk-or-v1-{hex:64}|OpenRouter|OPENROUTER_API_KEY
google_api_key|AIza{b64u:35}|Google|GOOGLE_API_KEY GEMINI_API_KEY MAPS_API_KEY
google_auth_key|AQ.Ab8RN6{b64u:44}|Google|GEMINI_API_KEY
mistral_api_key|={an:32}|Mistral|MISTRAL_API_KEY
cohere_api_key|={an:40}|Cohere|COHERE_API_KEY CO_API_KEY
deepseek_api_key|sk-{hex:32}|DeepSeek|DEEPSEEK_API_KEY
together_api_key|tgp_v1_{b64u:43}|Together|TOGETHER_API_KEY
together_legacy_api_key|={hex:64}|Together|TOGETHER_API_KEY
fireworks_api_key|fw_{an:24}|Fireworks|FIREWORKS_API_KEY
cerebras_api_key|csk-{low:48}|Cerebras|CEREBRAS_API_KEY
nvidia_api_key|nvapi-{b64u:64}|NVIDIA|NVIDIA_API_KEY NGC_API_KEY
elevenlabs_api_key|sk_{hex:48}|ElevenLabs|ELEVENLABS_API_KEY XI_API_KEY
deepgram_api_key|={hex:40}|Deepgram|DEEPGRAM_API_KEY
langsmith_api_key|lsv2_pt_{hex:32}_{hex:10}|LangSmith|LANGSMITH_API_KEY LANGCHAIN_API_KEY
langfuse_secret_key|sk-lf-{uuid}|Langfuse|LANGFUSE_SECRET_KEY
pinecone_api_key|pcsk_{an:6}_{an:63}|Pinecone|PINECONE_API_KEY
tavily_api_key|tvly-dev-{an:32}|Tavily|TAVILY_API_KEY
firecrawl_api_key|fc-{hex:32}|Firecrawl|FIRECRAWL_API_KEY
jina_api_key|jina_{hex:32}{b64u:28}|Jina|JINA_API_KEY
voyage_api_key|pa-{b64u:43}|Voyage|VOYAGE_API_KEY
azure_ai_key|={hex:32}|Azure OpenAI|AZURE_OPENAI_API_KEY AZURE_OPENAI_KEY
aws_bedrock_api_key|ABSKQmVkcm9ja0FQSUtleS{b64:110}|Amazon Bedrock|AWS_BEARER_TOKEN_BEDROCK
fal_key|={uuid}:{hex:32}|fal.ai|FAL_KEY
assemblyai_key|={hex:32}|AssemblyAI|ASSEMBLYAI_API_KEY
stability_key|sk-{an:48}|Stability AI|STABILITY_API_KEY
runpod_key|rpa_{up:42}|RunPod|RUNPOD_API_KEY
wandb_key|={hex:40}|Weights & Biases|WANDB_API_KEY
zhipu_key|={hex:32}.{an:16}|Zhipu|ZHIPUAI_API_KEY
github_fine_grained_token|github_pat_{an:22}_{an:59}|GitHub|GITHUB_TOKEN GH_TOKEN
gitlab_token|glpat-{b64u:20}|GitLab|GITLAB_TOKEN GITLAB_PRIVATE_TOKEN
gitlab_token|glpat-{b64u:27}.01.{low:9}|GitLab|GITLAB_TOKEN
gitlab_token|gldt-{b64u:20}|GitLab|GITLAB_DEPLOY_TOKEN
gitlab_token|glptt-{hex:40}|GitLab|PIPELINE_TRIGGER_TOKEN
gitlab_token|glrt-{b64u:20}|GitLab|RUNNER_TOKEN
gitlab_runner_registration_token|GR1348941{b64u:20}|GitLab|REGISTRATION_TOKEN
atlassian_api_token|ATATT3xFfGF0{b64u:171}={HEX:8}|Atlassian|JIRA_API_TOKEN CONFLUENCE_TOKEN
bitbucket_app_password|ATBB{an:24}{HEX:8}|Bitbucket|BITBUCKET_APP_PASSWORD
trello_token|ATTA{hex:64}{HEX:8}|Trello|TRELLO_TOKEN
pypi_token|pypi-AgEIcHlwaS5vcmc{b64u:150}|PyPI|PYPI_API_TOKEN TWINE_PASSWORD
rubygems_token|rubygems_{hex:48}|RubyGems|GEM_HOST_API_KEY
nuget_api_key|oy2{b32low:43}|NuGet|NUGET_API_KEY
docker_token|dckr_pat_{b64u:27}|Docker Hub|DOCKERHUB_TOKEN DOCKER_PASSWORD
docker_token|dckr_oat_{b64u:32}|Docker Hub|DOCKER_ORG_TOKEN
crates_token|cio{an:32}|crates|CARGO_REGISTRY_TOKEN
clojars_token|CLOJARS_{hex:60}|Clojars|CLOJARS_PASSWORD
artifactory_token|AKCp{an:69}|Artifactory|ARTIFACTORY_API_KEY
circleci_token|CCIPAT_{an:22}_{hex:40}|CircleCI|CIRCLE_TOKEN
buildkite_token|bkua_{hex:40}|Buildkite|BUILDKITE_API_TOKEN
sonar_token|squ_{hex:40}|SonarQube|SONAR_TOKEN
sonar_token|sqp_{hex:40}|SonarQube|SONAR_TOKEN
sourcegraph_token|sgp_{hex:16}_{hex:40}|Sourcegraph|SRC_ACCESS_TOKEN
snyk_token|={uuid}|Snyk|SNYK_TOKEN
codecov_token|={uuid}|Codecov|CODECOV_TOKEN
postman_api_key|PMAK-{hex:24}-{hex:34}|Postman|POSTMAN_API_KEY
terraform_cloud_token|{an:14}.atlasv1.{b64u:67}|Terraform Cloud|TFE_TOKEN TF_TOKEN_app_terraform_io
pulumi_token|pul-{hex:40}|Pulumi|PULUMI_ACCESS_TOKEN
vault_token|hvs.{b64u:90-100}|Vault|VAULT_TOKEN
vault_token|hvb.{b64u:138-150}|Vault|VAULT_TOKEN
doppler_token|dp.pt.{an:43}|Doppler|DOPPLER_TOKEN
doppler_token|dp.st.prd.{an:43}|Doppler|DOPPLER_TOKEN
onepassword_secret_key|A3-{up:6}-{up:6}-{up:5}-{up:5}-{up:5}-{up:5}|1Password|OP_SECRET_KEY
age_secret_key|AGE-SECRET-KEY-1{bech32:58}|age|SOPS_AGE_KEY
heroku_api_key|HRKU-AA{b64u:58}|Heroku|HEROKU_API_KEY
heroku_api_key|={uuid}|Heroku|HEROKU_API_KEY
netlify_token|nfp_{an:36}|Netlify|NETLIFY_AUTH_TOKEN
vercel_legacy_token|={an:24}|Vercel|VERCEL_TOKEN
render_api_key|rnd_{an:28}|Render|RENDER_API_KEY
flyio_token|FlyV1 §fm2_{b64:160}|Fly.io|FLY_API_TOKEN
flyio_token|fo1_{b64u:43}|Fly.io|FLY_API_TOKEN
railway_token|={uuid}|Railway|RAILWAY_TOKEN
supabase_key|sbp_{hex:40}|Supabase|SUPABASE_ACCESS_TOKEN
supabase_key|sb_secret_{b64u:22}_{b64u:8}|Supabase|SUPABASE_SECRET_KEY
neon_api_key|napi_{low:64}|Neon|NEON_API_KEY
planetscale_credential|pscale_tkn_{b64u:43}|PlanetScale|PLANETSCALE_TOKEN
planetscale_credential|pscale_pw_{b64u:43}|PlanetScale|PSCALE_PASSWORD
databricks_token|dapi{hex:32}|Databricks|DATABRICKS_TOKEN
databricks_token|dapi{hex:32}-3|Databricks|DATABRICKS_TOKEN
aws_access_key_id|AKIA{b32:16}|AWS|AWS_ACCESS_KEY_ID
aws_access_key_id|ASIA{b32:16}|AWS|AWS_ACCESS_KEY_ID
aws_secret_access_key|={b64:40}|AWS|AWS_SECRET_ACCESS_KEY SecretAccessKey
aws_session_token|=IQoJb3JpZ2luX2Vj{b64:300-400}|AWS|AWS_SESSION_TOKEN
azure_client_secret|{an:3}8Q~{b64u:34}|Azure|AZURE_CLIENT_SECRET ARM_CLIENT_SECRET
azure_storage_key|={b64:86}==|Azure Storage|AZURE_STORAGE_KEY AccountKey
azure_devops_token|{an:76}AZDO{an:4}|Azure DevOps|AZURE_DEVOPS_EXT_PAT
azure_devops_token|={b32low:52}|Azure DevOps|AZURE_DEVOPS_PAT
google_oauth_client_secret|GOCSPX-{b64u:28}|Google|GOOGLE_CLIENT_SECRET
google_oauth_token|ya29.a0A{b64u:180-210}|Google|GOOGLE_OAUTH_ACCESS_TOKEN
google_oauth_refresh_token|1//0{d:1}{b64u:95-105}|Google|GOOGLE_REFRESH_TOKEN
digitalocean_token|dop_v1_{hex:64}|DigitalOcean|DIGITALOCEAN_TOKEN
digitalocean_token|doo_v1_{hex:64}|DigitalOcean|DO_OAUTH_TOKEN
cloudflare_api_token|={b64u:40}|Cloudflare|CLOUDFLARE_API_TOKEN CF_API_TOKEN
cloudflare_global_key|={hex:37}|Cloudflare|CLOUDFLARE_API_KEY
cloudflare_origin_ca_key|v1.0-{hex:24}-{hex:146}|Cloudflare|CLOUDFLARE_ORIGIN_CA_KEY
alibaba_access_key_id|LTAI{an:20}|Alibaba Cloud|ALIBABA_CLOUD_ACCESS_KEY_ID
alibaba_secret|={an:30}|Alibaba Cloud|ALIBABA_CLOUD_ACCESS_KEY_SECRET
tencent_secret_id|AKID{an:32}|Tencent Cloud|TENCENTCLOUD_SECRET_ID
linode_token|={hex:64}|Linode|LINODE_TOKEN
hetzner_token|={an:64}|Hetzner|HCLOUD_TOKEN
scaleway_secret|={uuid}|Scaleway|SCW_SECRET_KEY
ibm_cloud_key|={b64u:44}|IBM Cloud|IBMCLOUD_API_KEY
yandex_key|AQVN{b64u:36}|Yandex Cloud|YC_API_KEY
slack_token|xoxb-{d:12}-{d:13}-{an:24}|Slack|SLACK_BOT_TOKEN
slack_token|xoxp-{d:12}-{d:12}-{d:13}-{hex:32}|Slack|SLACK_USER_TOKEN
slack_token|xapp-1-A{up:10}-{d:13}-{hex:64}|Slack|SLACK_APP_TOKEN
slack_webhook|https://hooks.slack.com/services/T{up:10}/B{up:10}/§{an:24}|Slack|SLACK_WEBHOOK_URL
discord_bot_token|M{an:25}.G{an:5}.{b64u:38}|Discord|DISCORD_TOKEN DISCORD_BOT_TOKEN
discord_webhook|https://discord.com/api/webhooks/{d:19}/§{b64u:68}|Discord|DISCORD_WEBHOOK
telegram_bot_token|{d:10}:AA{b64u:33}|Telegram|TELEGRAM_BOT_TOKEN
teams_webhook|https://contoso.webhook.office.com/webhookb2/{uuid}@{uuid}/IncomingWebhook/§{hex:32}§/{uuid}|Teams|TEAMS_WEBHOOK_URL
twilio_api_key|SK{hex:32}|Twilio|TWILIO_API_KEY
twilio_auth_token|={hex:32}|Twilio|TWILIO_AUTH_TOKEN
sendgrid_api_key|SG.{b64u:22}.{b64u:43}|SendGrid|SENDGRID_API_KEY
mailgun_api_key|key-{hex:32}|Mailgun|MAILGUN_API_KEY
mailgun_api_key|={hex:32}-{hex:8}-{hex:8}|Mailgun|MAILGUN_API_KEY
mailchimp_api_key|{hex:32}-us{d:2}|Mailchimp|MAILCHIMP_API_KEY
brevo_api_key|xkeysib-{hex:64}-{an:16}|Brevo|BREVO_API_KEY
brevo_api_key|xsmtpsib-{hex:64}-{an:16}|Brevo|BREVO_SMTP_KEY
resend_api_key|re_{an:8}_{an:24}|Resend|RESEND_API_KEY
postmark_token|={uuid}|Postmark|POSTMARK_SERVER_TOKEN
stripe_secret_key|sk_live_{an:24}|Stripe|STRIPE_SECRET_KEY STRIPE_API_KEY
stripe_secret_key|sk_live_51{an:97}|Stripe|STRIPE_SECRET_KEY
stripe_secret_key|rk_live_51{an:97}|Stripe|STRIPE_RESTRICTED_KEY
stripe_secret_key|sk_test_51{an:97}|Stripe|STRIPE_TEST_KEY
stripe_webhook_secret|whsec_{an:32}|Stripe|STRIPE_WEBHOOK_SECRET
square_token|EAAA{b64u:60}|Square|SQUARE_ACCESS_TOKEN
square_token|sq0csp-{b64u:43}|Square|SQUARE_APP_SECRET
braintree_access_token|access_token$production${low:16}${hex:32}|Braintree|BRAINTREE_ACCESS_TOKEN
razorpay_key|rzp_live_{an:14}|Razorpay|RAZORPAY_KEY_ID
plaid_secret|={hex:30}|Plaid|PLAID_SECRET
paystack_key|sk_live_{hex:40}|Paystack|PAYSTACK_SECRET_KEY
paypal_secret|=E{b64u:79}|PayPal|PAYPAL_CLIENT_SECRET
coinbase_secret|={b64:86}==|Coinbase|COINBASE_API_SECRET
shopify_token|shpat_{hex:32}|Shopify|SHOPIFY_ACCESS_TOKEN
shopify_token|shpss_{hex:32}|Shopify|SHOPIFY_API_SECRET
hubspot_token|pat-na1-{uuid}|HubSpot|HUBSPOT_ACCESS_TOKEN
salesforce_token|00D{an:12}!{an:96}|Salesforce|SF_ACCESS_TOKEN
intercom_token|=dG9rO{b64:55}=|Intercom|INTERCOM_ACCESS_TOKEN
airtable_token|pat{an:14}.{hex:64}|Airtable|AIRTABLE_API_KEY AIRTABLE_TOKEN
notion_token|ntn_{d:11}{an:35}|Notion|NOTION_TOKEN
notion_token|secret_{an:43}|Notion|NOTION_API_KEY
linear_api_key|lin_api_{an:40}|Linear|LINEAR_API_KEY
asana_token|=2/{d:16}/{d:16}:{hex:32}|Asana|ASANA_ACCESS_TOKEN
figma_token|figd_{b64u:40}|Figma|FIGMA_TOKEN
dropbox_token|sl.{b64u:140}|Dropbox|DROPBOX_ACCESS_TOKEN
sentry_token|sntryu_{hex:64}|Sentry|SENTRY_AUTH_TOKEN
datadog_key|={hex:32}|Datadog|DD_API_KEY DATADOG_API_KEY
datadog_key|={hex:40}|Datadog|DD_APP_KEY DATADOG_APP_KEY
newrelic_key|NRAK-{up:27}|New Relic|NEW_RELIC_API_KEY
newrelic_key|={hex:36}FFFFNRAL|New Relic|NEW_RELIC_LICENSE_KEY
grafana_token|glsa_{an:32}_{hex:8}|Grafana|GRAFANA_TOKEN
grafana_token|glc_eyJ{b64:120}|Grafana Cloud|GRAFANA_CLOUD_API_KEY
dynatrace_token|dt0c01.{b32:24}.{b32:64}|Dynatrace|DT_API_TOKEN
honeycomb_key|hcaik_01{low:56}|Honeycomb|HONEYCOMB_API_KEY
pagerduty_key|=u+{b64u:18}|PagerDuty|PAGERDUTY_TOKEN
algolia_key|={hex:32}|Algolia|ALGOLIA_ADMIN_KEY ALGOLIA_API_KEY
mapbox_token|sk.eyJ1Ijoi{an:60}.{b64u:22}|Mapbox|MAPBOX_SECRET_TOKEN
facebook_token|EAAG{an:170}|Facebook|FB_ACCESS_TOKEN
twitter_bearer|AAAAAAAAAAAAAAAAAAAAA{an:40}%3D{an:40}|X|TWITTER_BEARER_TOKEN
okta_token|=00{b64u:40}|Okta|OKTA_API_TOKEN
auth0_secret|={b64u:64}|Auth0|AUTH0_CLIENT_SECRET
launchdarkly_key|sdk-{uuid}|LaunchDarkly|LAUNCHDARKLY_SDK_KEY
posthog_key|phx_{an:43}|PostHog|POSTHOG_PERSONAL_API_KEY
contentful_token|CFPAT-{b64u:43}|Contentful|CONTENTFUL_MANAGEMENT_TOKEN
typeform_token|tfp_{b64u:44}_{b64u:14}|Typeform|TYPEFORM_TOKEN
easypost_key|EZAK{an:54}|EasyPost|EASYPOST_API_KEY
shippo_key|shippo_live_{hex:40}|Shippo|SHIPPO_TOKEN
flutterwave_secret_key|FLWSECK-{hex:32}-X|Flutterwave|FLW_SECRET_KEY
frameio_token|fio-u-{b64u:64}|Frame.io|FRAMEIO_TOKEN
duffel_token|duffel_live_{b64u:43}|Duffel|DUFFEL_ACCESS_TOKEN
tailscale_key|tskey-auth-{an:12}CNTRL-{an:32}|Tailscale|TS_AUTHKEY
ngrok_token|={an:27}_{an:21}|ngrok|NGROK_AUTHTOKEN
openshift_token|sha256~{b64u:43}|OpenShift|OC_TOKEN
prefect_key|pnu_{an:36}|Prefect|PREFECT_API_KEY
cloudinary_url|cloudinary://{d:15}:§{b64u:27}§@acmecloud|Cloudinary|CLOUDINARY_URL
readme_key|rdme_xn8s9h{hex:60}|ReadMe|README_API_KEY
fernet_key|={b64u:43}=|Airflow|AIRFLOW__CORE__FERNET_KEY FERNET_KEY
rails_secret|={hex:128}|Rails|SECRET_KEY_BASE
laravel_key|=base64:{b64:43}=|Laravel|APP_KEY
wireguard_key|={b64:43}=|WireGuard|WG_PRIVATE_KEY PrivateKey
jwt_secret|={hex:64}|the API|JWT_SECRET
generic_secret|={an:32}|the gateway|API_KEY X_API_KEY
generic_secret|={b64u:43}|the service|CLIENT_SECRET APP_SECRET
generic_secret|={hex:40}|the webhook|WEBHOOK_SECRET ACCESS_TOKEN
"""


_SECRET_FROM = "§"


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One kind of credential."""

    type: str
    make: Callable[[random.Random], str]
    vendor: str
    names: tuple[str, ...]
    shapeless: bool = False

    def value(self, draw: random.Random) -> str:
        """One, as it is used."""
        return self.make(draw).replace(_SECRET_FROM, "")

    def marked(self, draw: random.Random) -> str:
        """One, of which the secret part is marked."""
        parts = self.make(draw).split(_SECRET_FROM)
        if len(parts) == 1:
            return mark(self.type, parts[0])
        return parts[0] + mark(self.type, parts[1]) + "".join(parts[2:])


def formats() -> list[Format]:
    """All of them."""
    found = []
    for line in _TABLE.strip().splitlines():
        kind, template, vendor, names = line.split("|")
        found.append(
            Format(
                type=kind,
                make=lambda draw, template=template: fill(draw, template.removeprefix("=")),
                vendor=vendor,
                names=tuple(names.split()),
                shapeless=template.startswith("="),
            )
        )
    return [*found, *_checksummed(), *_structured()]


def _checksummed() -> list[Format]:
    """Tokens that end in a CRC-32 of the random part, base 62 (GitHub, npm)."""
    kinds = (
        ("github_token", "ghp_", "GitHub", "GITHUB_TOKEN GH_TOKEN"),
        ("github_token", "gho_", "GitHub", "GITHUB_OAUTH_TOKEN"),
        ("github_token", "ghs_", "GitHub", "GITHUB_TOKEN"),
        ("github_token", "ghu_", "GitHub", "GITHUB_USER_TOKEN"),
        ("npm_token", "npm_", "npm", "NPM_TOKEN NODE_AUTH_TOKEN"),
    )
    return [
        Format(
            type=kind,
            make=lambda draw, prefix=prefix: prefix + with_checksum(text_of(draw, ALPHABETS["an"], 30)),
            vendor=vendor,
            names=tuple(names.split()),
        )
        for kind, prefix, vendor, names in kinds
    ]


def with_checksum(body: str) -> str:
    """The body and its checksum: CRC-32 as six digits to the base 62, most significant first."""
    digits = ALPHABETS["d"] + ALPHABETS["an"][:52]
    number, found = zlib.crc32(body.encode()), ""
    for _ in range(6):
        number, rest = divmod(number, 62)
        found = digits[rest] + found
    return body + found


def _structured() -> list[Format]:
    """Tokens with a structure inside: JOSE, base64 of JSON."""

    def jwt(draw: random.Random) -> str:
        head = _part({"alg": draw.choice(["HS256", "RS256", "ES256"]), "typ": "JWT"})
        body = _part(
            {
                "sub": fill(draw, "{d:10}"),
                "iss": "https://id.corp.net",
                "iat": 17_00_000_000 + draw.randint(0, 9**8),
            }
        )
        return f"{head}.{body}.{fill(draw, '{b64u:43}')}"

    def service_account(draw: random.Random) -> str:
        return "ops_" + _part({"signInAddress": "corp.1password.com", "userAuth": {"method": "SRPg-4096"}, "srpX": fill(draw, "{hex:64}"), "muk": {"k": fill(draw, "{b64u:43}")}})  # fmt: skip

    def sentry(draw: random.Random) -> str:
        body = _part(
            {"iat": 1_700_000_000 + draw.randint(0, 9**7), "url": "https://sentry.io", "org": "acme"}
        )
        return f"sntrys_{body}_{fill(draw, '{b64:43}')}"

    return [
        Format(type="jwt", make=jwt, vendor="session", names=("ACCESS_TOKEN", "ID_TOKEN", "SESSION_JWT")),
        Format(type="jwt", make=jwt, vendor="Supabase", names=("SUPABASE_SERVICE_ROLE_KEY",)),
        Format(
            type="onepassword_service_token",
            make=service_account,
            vendor="1Password",
            names=("OP_SERVICE_ACCOUNT_TOKEN",),
        ),
        Format(type="sentry_token", make=sentry, vendor="Sentry", names=("SENTRY_AUTH_TOKEN",)),
    ]


def _part(value: object) -> str:
    raw = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
