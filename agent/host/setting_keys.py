"""The table of settings: how each is read, what it allows, and when a changed value takes hold.

Their types and defaults are the fields of `settings.Settings`; where values come from is decided there.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from agent.host.setting_rows import Category, Effect, Key, PerSystem
from agent.host.setting_values import (
    NAMES_LIMIT,
    account_list,
    host_list,
    hours,
    issuer_url,
    log_level,
    names,
    one_of,
    path,
    port,
    proxy_url,
    resolve_list,
    switch,
    text,
)

# unassigned at IANA, below every platform's ephemeral range, and no development server's habit
DEFAULT_PROXY_PORT = 7717
DEFAULT_GATEWAY_PORT = 7718
DEFAULT_DASHBOARD_PORT = 7719
DEFAULT_CAPTURE_PORT = 7720

KEYS: Mapping[str, Key] = MappingProxyType(
    {
        "state_dir": Key(
            read=path,
            allowed="an absolute path",
            about="Directory of the certificate authority, the audit trail, usage and the cache.",
            takes_hold=Effect.SERVICE,
            default="the directory of this kind of installation",
            example=PerSystem(
                macos="/Library/Application Support/Drawbridge/state",
                windows=r"C:\ProgramData\Drawbridge",
                linux="/var/lib/drawbridge",
            ),
        ),
        "proxy_port": Key(
            read=port,
            allowed="a port from 0 to 65535 (0: any free one)",
            about="Port of the forward proxy on the loopback address.",
            takes_hold=Effect.SERVICE,
            category=Category.NETWORK,
            example=DEFAULT_PROXY_PORT,
        ),
        "gateway_port": Key(
            read=port,
            allowed="a port from 0 to 65535 (0: any free one)",
            about="Port of the gateway, for clients that are given a base URL, on the loopback address.",
            takes_hold=Effect.SERVICE,
            category=Category.NETWORK,
            example=DEFAULT_GATEWAY_PORT,
        ),
        "dashboard": Key(
            read=switch,
            allowed="true or false",
            about="Whether the agent shows a dashboard, read-only, on the loopback address.",
            example=True,
        ),
        "dashboard_port": Key(
            read=port,
            allowed="a port from 0 to 65535 (0: any free one)",
            about="Port of the dashboard and of the notice to users on the loopback address.",
            category=Category.NETWORK,
            example=DEFAULT_DASHBOARD_PORT,
        ),
        "operators": Key(
            read=account_list,
            allowed='a list of user names and "@group"',
            about="Accounts that may pause and resume interception besides the administrators of the machine.",
            example=["@it-support"],
        ),
        "policy": Key(
            read=path,
            allowed="the absolute path of a policy file or directory",
            about="The policy: what is inspected, what is allowed, and where requests go.",
            takes_hold=Effect.LIVE,
            category=Category.POLICY,
            default="the policy that comes with the program",
            example=PerSystem(
                macos="/Library/Application Support/Drawbridge/policy.yaml",
                windows=r"C:\ProgramData\Drawbridge\policy.yaml",
                linux="/etc/drawbridge/policy.yaml",
            ),
            starter=True,
        ),
        "upstream_ca_file": Key(
            read=path,
            allowed="the absolute path of a PEM file",
            about="Root certificates to trust for connections to providers, besides those of the system.",
            category=Category.NETWORK,
            example=PerSystem(
                macos="/Library/Application Support/Drawbridge/company-ca.pem",
                windows=r"C:\ProgramData\Drawbridge\company-ca.pem",
                linux="/etc/drawbridge/company-ca.pem",
            ),
        ),
        "upstream_proxy": Key(
            read=proxy_url,
            allowed='"none", "auto" or http://host:port, without password',
            about="The company's own proxy, by which providers are reached; auto takes the one that the machine had.",
            category=Category.NETWORK,
            default="none: connect directly",
            example="http://proxy.example.com:3128",
        ),
        "upstream_direct": Key(
            read=host_list,
            allowed="a list of hosts, as in NO_PROXY",
            about="Hosts that are reached without the company's proxy.",
            category=Category.NETWORK,
            example=["*.corp.example.com", "10.0.0.0/8"],
        ),
        "manage_proxy": Key(
            read=one_of("none", "pac"),
            allowed="none or pac",
            about="Whether the proxy settings of the system lead AI traffic to the agent, by a PAC file.",
            takes_hold=Effect.SERVICE,
            category=Category.NETWORK,
            example="pac",
        ),
        "manage_environment": Key(
            read=one_of("none", "all"),
            allowed="none or all",
            about="Whether the variables of every program lead AI traffic to the agent (Linux).",
            takes_hold=Effect.SERVICE,
            category=Category.NETWORK,
            example="all",
        ),
        "capture": Key(
            read=one_of("none", "transparent", "programs"),
            allowed="none, transparent (Linux) or programs",
            about="Whether TLS connections of programs that heed no proxy setting are led to the agent.",
            takes_hold=Effect.SERVICE,
            category=Category.NETWORK,
            example="transparent",
        ),
        "capture_programs": Key(
            read=names,
            allowed=f"a list of at most {NAMES_LIMIT} names, without commas",
            about="Names of programs whose connections are captured, where capture is programs.",
            category=Category.NETWORK,
            example=["Cursor", "claude"],
        ),
        "capture_port": Key(
            read=port,
            allowed="a port from 1 to 65535",
            about="Port on the loopback address to which captured connections are led.",
            takes_hold=Effect.SERVICE,
            category=Category.NETWORK,
            example=DEFAULT_CAPTURE_PORT,
        ),
        "resolve": Key(
            read=resolve_list,
            allowed='a list of "host:port=address:port"',
            about="Connections to these hosts go elsewhere, for laboratories; TLS still verifies the real name.",
            category=Category.DIAGNOSTICS,
            example=["api.example.com:443=127.0.0.1:8443"],
        ),
        "device_groups": Key(
            read=names,
            allowed=f"a list of at most {NAMES_LIMIT} names, without commas",
            about="Groups of this device, for rules of the policy that ask for groups.",
            category=Category.POLICY,
            example=["kiosks"],
        ),
        "log_level": Key(
            read=log_level,
            allowed="debug, info, warning or error",
            about="How much the agent writes to its log; never content.",
            takes_hold=Effect.LIVE,
            category=Category.DIAGNOSTICS,
            example="info",
            starter=True,
        ),
        "manage_trust": Key(
            read=one_of("os", "none"),
            allowed="os or none",
            about="Whether the installed service keeps the root certificate in this machine's trust stores (os), or "
            "somebody else does (none).",
            takes_hold=Effect.SERVICE,
            category=Category.GENERAL,
            example="os",
        ),
        "notifications": Key(
            read=switch,
            allowed="true or false",
            about="Whether people are shown a notification of the desktop when something of theirs was blocked.",
            takes_hold=Effect.LIVE,
            example=False,
        ),
        "sign_in_issuer": Key(
            read=issuer_url,
            allowed='the https address of an OpenID Connect issuer, or "none"',
            about="The company's identity provider, with which people sign in.",
            category=Category.SIGN_IN,
            default="none: nobody can sign in",
            example="https://login.example.com/tenant/v2.0",
        ),
        "sign_in_client": Key(
            read=text,
            allowed="the id of a client",
            about="The id by which the identity provider knows Drawbridge: a public client, without a secret.",
            category=Category.SIGN_IN,
            default="none: nobody can sign in",
            example="0oa2drawbridge",
        ),
        "sign_in_scopes": Key(
            read=names,
            allowed=f"a list of at most {NAMES_LIMIT} names, without commas",
            about="The scopes that are asked for besides openid; some tell groups only by a scope of their own.",
            category=Category.SIGN_IN,
            default="profile, email, offline_access",
            example=["profile", "email", "groups", "offline_access"],
        ),
        "sign_in_name_claim": Key(
            read=text,
            allowed="the name of a claim",
            about="The claim of the ID token by which policies call a person.",
            category=Category.SIGN_IN,
            example="preferred_username",
        ),
        "sign_in_groups_claim": Key(
            read=text,
            allowed="the name of a claim, or a path such as realm_access.roles",
            about="The claim of the ID token that lists a person's groups, for policies and virtual keys.",
            category=Category.SIGN_IN,
            example="groups",
        ),
        "sign_in_grace_hours": Key(
            read=hours,
            allowed="a number of hours from 0 to 720",
            about="For how long a sign-in that cannot be renewed still counts, as on a laptop that is offline.",
            category=Category.SIGN_IN,
            example=24,
        ),
        "sign_in_device_code": Key(
            read=switch,
            allowed="true or false",
            about="Whether people may sign in with a code on another device, as on machines without a browser.",
            category=Category.SIGN_IN,
            example=False,
        ),
        "sign_in_port": Key(
            read=port,
            allowed="a port from 0 to 65535 (0: any free one)",
            about="Port of the redirect address on 127.0.0.1, for identity providers that want it to be exact.",
            category=Category.SIGN_IN,
            example=0,
        ),
    }
)
