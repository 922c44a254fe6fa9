"""Passwords: in connection strings, assignments, headers, commands, files and sentences."""

# ruff: noqa: E501  a template is one line

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from urllib.parse import quote

from tests.data.eval.generators.marking import Row, fill, mark, row

_WORDS = [
    "Winter",
    "Copper",
    "Falcon",
    "Bridge",
    "Marble",
    "Tunnel",
    "Garden",
    "Rocket",
    "Silver",
    "Harbor",
    "Pepper",
    "Violet",
    "Canyon",
    "Meadow",
    "Anchor",
    "Thunder",
    "Lantern",
    "Orchid",
    "Walnut",
    "Cobalt",
    "Saffron",
    "Glacier",
    "Comet",
    "Juniper",
]
_USERS = (
    "app",
    "svc_orders",
    "dbadmin",
    "etl",
    "reporting",
    "maria.k",
    "deploy",
    "readonly",
    "grafana",
    "jenkins",
)
_HOSTS = (
    "db.prod.corp.net", "10.20.3.14", "pg-main.internal", "cache-1.eu-west-1.compute.internal", "mq.acme.dev",
    "cluster0.ab1cd.mongodb.net", "sql01.contoso.local", "localhost",
)  # fmt: skip

_CONNECTIONS = """
postgres://{user}:{pw}@{host}:5432/orders
postgresql+asyncpg://{user}:{pw}@{host}/orders?sslmode=require
mysql://{user}:{pw}@{host}:3306/shop
mysql+pymysql://{user}:{pw}@{host}/shop?charset=utf8mb4
mongodb://{user}:{pw}@{host}:27017/admin?replicaSet=rs0
mongodb+srv://{user}:{pw}@{host}/prod?retryWrites=true
redis://:{pw}@{host}:6379/0
rediss://{user}:{pw}@{host}:6380/1
amqp://{user}:{pw}@{host}:5672/vhost
amqps://{user}:{pw}@{host}/
mssql://{user}:{pw}@{host}:1433/sales
clickhouse://{user}:{pw}@{host}:8123/default
snowflake://{user}:{pw}@xy12345.eu-central-1/DB/PUBLIC?warehouse=WH
ftp://{user}:{pw}@{host}/pub
sftp://{user}:{pw}@{host}:22/upload
smtp://{user}:{pw}@smtp.{host}:587
smtps://{user}:{pw}@{host}:465
ldap://{user}:{pw}@{host}:389
https://{user}:{pw}@{host}/artifactory/api
https://{user}:{pw}@git.corp.net/team/app.git
nats://{user}:{pw}@{host}:4222
jdbc:postgresql://{host}:5432/orders?user={user}&password={pw}
jdbc:mysql://{host}:3306/shop?user={user}&password={pw}&useSSL=false
jdbc:sqlserver://{host}:1433;databaseName=hr;user={user};password={raw};encrypt=true
jdbc:oracle:thin:{user}/{raw}@{host}:1521:ORCL
Server={host};Database=hr;User Id={user};Password={raw};TrustServerCertificate=True
Data Source={host};Initial Catalog=hr;UID={user};PWD={raw};
Driver={{ODBC Driver 18 for SQL Server}};Server={host};Uid={user};Pwd={raw};Encrypt=yes;
host={host} port=5432 dbname=orders user={user} password={raw} sslmode=require
"""

_AZURE = (
    "DefaultEndpointsProtocol=https;AccountName=acmestore;AccountKey={azure_storage_key};EndpointSuffix=core.windows.net",
    "Endpoint=sb://acme.servicebus.windows.net/;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey={azure_shared_access_key}",
    "AccountEndpoint=https://acme.documents.azure.com:443/;AccountKey={azure_storage_key};",
    "HostName=hub.azure-devices.net;DeviceId=d1;SharedAccessKey={azure_shared_access_key}",
    "https://acme.blob.core.windows.net/data?sv=2022-11-02&ss=b&srt=sco&sp=rl&se=2027-01-01T00:00:00Z&sig={azure_sas_signature}",
)

_PLACES = r"""
dotenv|DB_HOST={host}\nDB_USER={user}\nDB_PASSWORD={raw}\n
dotenv, quoted|DB_USER={user}\nDB_PASSWORD="{raw}"\nDEBUG=false\n
yaml|database:\n  username: {user}\n  password: {raw}\n  pool: 5\n
yaml, quoted|database:\n  username: {user}\n  password: "{raw}"\n
json|{{"username": "{user}", "password": "{raw}", "remember": true}}
json in json|{{"body": "{{\\"user\\": \\"{user}\\", \\"password\\": \\"{raw}\\"}}"}}
xml|<credentials>\n  <username>{user}</username>\n  <password>{raw}</password>\n</credentials>
xml attribute|<dataSource driver="pg" username="{user}" password="{raw}" maxPoolSize="8"/>
xml, unattend|<AutoLogon><Password><Value>{raw}</Value><PlainText>true</PlainText></Password><Enabled>true</Enabled></AutoLogon>
properties|spring.datasource.username={user}\nspring.datasource.password={raw}\n
ini|[client]\nuser = {user}\npassword = {raw}\nhost = {host}\n
toml|[db]\nuser = "{user}"\npassword = "{raw}"\n
python|conn = psycopg2.connect(host="{host}", user="{user}", password="{raw}")
python, constant|PASSWORD = '{raw}'\nUSER = '{user}'\n
python, keyword dictionary|auth = {{'user': '{user}', 'passwd': '{raw}'}}
javascript|const pool = new Pool({{ user: '{user}', password: '{raw}', host: '{host}' }});
java|dataSource.setUsername("{user}");\ndataSource.setPassword("{raw}");
go|cfg := mysql.Config{{User: "{user}", Passwd: "{raw}", Addr: "{host}:3306"}}
csharp|var credential = new NetworkCredential("{user}", "{raw}");
csharp, property|builder.Password = "{raw}";\nbuilder.UserID = "{user}";
php|$db_password = '{raw}';\n$db_user = '{user}';\n
php, define|define('DB_USER', '{user}');\ndefine('DB_PASSWORD', '{raw}');\n
ruby|Mysql2::Client.new(host: "{host}", username: "{user}", password: "{raw}")
terraform|resource "aws_db_instance" "main" {{\n  username = "{user}"\n  password = "{raw}"\n}}
compose|    environment:\n      POSTGRES_USER: {user}\n      POSTGRES_PASSWORD: {raw}\n
kubernetes|stringData:\n  username: {user}\n  password: {raw}\n
ansible|    ansible_user: {user}\n    ansible_password: "{raw}"\n    ansible_become_pass: {raw}\n
shell, export|export PGPASSWORD='{raw}'\npsql -h {host} -U {user} orders\n
shell, mysql|mysql -h {host} -u {user} -p'{raw}' shop < dump.sql
shell, sshpass|sshpass -p '{raw}' ssh {user}@{host}
shell, curl|curl -u {user}:{raw} https://{host}/api/v2/status
shell, flag|./migrate --username {user} --password '{raw}' --host {host}
shell, docker|docker login registry.corp.net -u {user} -p {raw}
shell, net use|net use Z: \\{host}\share /user:CORP\{user} {raw}
powershell|$pw = ConvertTo-SecureString "{raw}" -AsPlainText -Force
netrc|machine {host}\n  login {user}\n  password {raw}\n
pgpass|{host}:5432:orders:{user}:{raw}\n
sql|CREATE USER {user} WITH PASSWORD '{raw}';
sql, mysql|CREATE USER '{user}'@'%' IDENTIFIED BY '{raw}';
sql, alter|ALTER LOGIN {user} WITH PASSWORD = '{raw}';
kafka|sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="{user}" password="{raw}";
csv|host,user,password\n{host},{user},{raw}\n
markdown table|| system | user | password |\n|---|---|---|\n| {host} | {user} | {raw} |\n
log|2026-03-04 10:22:31 ERROR auth failed for user={user} password={raw} from 10.1.2.3
url form|grant_type=password&username={user}&password={pw}&scope=openid
prose|I cannot log in to {host} any more. My user is {user} and my password is {raw} - can you see why?
prose, colon|Here are the credentials for the demo box.\nUser: {user}\nPassword: {raw}\nPlease do not share.
prose, pw|hey, {host}: {user} / pw: {raw}
prose, changed|the root password was changed to {raw} this morning
prose, german|Benutzer: {user}\nPasswort: {raw}\nBitte nicht weitergeben.
prose, german sentence|Das Passwort für {user} lautet {raw}, bitte nach dem ersten Login ändern.
prose, french|Identifiant : {user}\nMot de passe : {raw}\n
prose, spanish|Usuario: {user}\nContraseña: {raw}\n
prose, portuguese|Usuário: {user}\nSenha: {raw}\n
prose, italian|Utente: {user}\nParola d'ordine: {raw}\n
prose, dutch|Gebruiker: {user}\nWachtwoord: {raw}\n
prose, polish|Użytkownik: {user}\nHasło: {raw}\n
prose, japanese|ユーザー名: {user}\nパスワード: {raw}\n
prose, chinese|用户名：{user}\n密码：{raw}\n
prose, russian|Логин: {user}\nПароль: {raw}\n
chat|[10:01] ana: what was the wifi password again?\n[10:02] li: {raw}\n[10:02] ana: thanks
"""


SHAPES = (
    "word and year", "random", "passphrase", "mixed", "dotted", "random with a mark", "leet",
)  # fmt: skip


def password(draw: random.Random, *, plain: bool = False, shape: str = "") -> str:
    """A password as people and generators make them; `plain`: of characters that need no escaping anywhere."""
    word, other, third = draw.sample(_WORDS, 3)
    match shape or draw.choice(SHAPES):
        case "word and year":
            return f"{word}{draw.randint(1990, 2026)}{draw.choice('_-' if plain else '!_-')}"
        case "random":
            return fill(draw, "{an:12-20}")
        case "passphrase":
            return f"{word.lower()}-{other.lower()}-{draw.randint(10, 99)}-{third.lower()}"
        case "mixed":
            return f"{word[0].lower()}{fill(draw, '{d:1}')}{other}{fill(draw, '{an:5}')}"
        case "dotted":
            return f"{word}.{fill(draw, '{an:6}')}_{fill(draw, '{d:2}')}"
        case "leet":
            return f"{word.lower().replace('o', '0').replace('e', '3')}{fill(draw, '{d:3}')}"
        case _:
            return fill(draw, "{an:6}") + draw.choice("-_." if plain else "-_.!*~+=#%") + fill(draw, "{an:6}")


def rows(draw: random.Random) -> Iterator[Row]:
    """All of them."""
    yield from connections(draw)
    yield from places(draw)
    yield from headers(draw)


def _filled(draw: random.Random, template: str, shape: str = "") -> str:
    needs_plain = any(word in template for word in ("curl -u", "docker login", "pgpass", "csv", "net use"))
    raw = password(draw, plain=needs_plain, shape=shape)
    return template.format(
        user=draw.choice(_USERS),
        host=draw.choice(_HOSTS),
        raw=mark("password", raw),
        pw=mark("connection_string_password" if "://" in template else "password", quote(raw, safe="!*~._-")),
    )


def connections(draw: random.Random) -> Iterator[Row]:
    """Connection strings, alone and in settings."""
    frames = (
        "DATABASE_URL={}\n",
        'url: "{}"\n',
        "$ connect '{}'\n",
        '{{"dsn": "{}"}}',
        "it fails with {} - why?",
        "{}",
    )
    for template in _CONNECTIONS.strip().splitlines():
        for _ in range(5):
            text = _filled(draw, template)
            if "://" not in template or "raw" in template:
                text = text.replace("\ue000password", "\ue000connection_string_password")
            yield row(
                draw.choice(frames).format(text),
                family="secret",
                context="connection string",
                source="documentation of drivers",
                variant=template.split("{")[0].split("=")[0] or template[:16],
            )
    for template in _AZURE:
        for frame in frames:
            values = {
                "azure_storage_key": mark("azure_storage_key", fill(draw, "{b64:86}==")),
                "azure_shared_access_key": mark("azure_shared_access_key", fill(draw, "{b64:43}=")),
                "azure_sas_signature": mark("azure_sas_signature", quote(fill(draw, "{b64:43}="), safe="")),
            }
            yield row(frame.format(template.format(**values)), family="secret", context="connection string", source="Azure documentation")  # fmt: skip


def places(draw: random.Random) -> Iterator[Row]:
    """Passwords wherever people leave them."""
    for line in _PLACES.strip("\n").splitlines():
        context, _, template = line.partition("|")
        template = template.replace("\\n", "\n").replace('\\\\"', '\\"')
        for shape in SHAPES:
            text = _filled(draw, template, shape)
            variant = f"password, {shape}"
            yield row(text, family="secret", context=f"password in {context}", source="own", variant=variant)


def headers(draw: random.Random) -> Iterator[Row]:
    """HTTP authentication, RFC 7617 and RFC 6750, and the password fields of settings that hold base64."""
    for _ in range(12):
        pair = base64.b64encode(f"{draw.choice(_USERS)}:{password(draw)}".encode()).decode()
        basic = mark("authorization_basic", pair)
        bearer = mark("authorization_bearer", fill(draw, "{b64u:40-60}"))
        for context, text in (
            ("header", f"GET /api HTTP/1.1\nHost: api.corp.net\nAuthorization: Basic {basic}\n"),
            ("header in code", f'headers = {{"Authorization": "Basic {basic}"}}\n'),
            ("docker config", f'{{"auths": {{"registry.corp.net": {{"auth": "{basic}"}}}}}}'),
            ("header", f"POST /v1 HTTP/1.1\nAuthorization: Bearer {bearer}\nAccept: application/json\n"),
            ("header in code", f"fetch(url, {{ headers: {{ Authorization: 'Bearer {bearer}' }} }})"),
        ):
            yield row(text, family="secret", context=context, source="RFC 6750, RFC 7617")
        cookie = mark("session_cookie", fill(draw, "{b64u:48}"))
        yield row(
            f"Cookie: theme=dark; sessionid={cookie}; lang=en\n",
            family="secret",
            context="cookie",
            source="own",
        )
        secret = mark("npm_auth", uuid_text(draw))
        yield row(f"//npm.corp.net/:_authToken={secret}\nalways-auth=true\n", family="secret", context="npmrc", source="npm documentation")  # fmt: skip


def uuid_text(draw: random.Random) -> str:
    """A UUID, the form of old npm tokens."""
    return fill(draw, "{uuid}")
