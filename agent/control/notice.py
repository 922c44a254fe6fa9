"""The notice to the people of this machine: what is decrypted, what is kept, for how long, whom to ask. Made anew from
the policy in force whenever somebody looks, and open to every account of the machine. Pure."""

from __future__ import annotations

from html import escape

from agent.audit.retention import Limits
from agent.control import words
from agent.inspection import RuleBook

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What Drawbridge reads on this machine</title>
<link rel="icon" href="/icon.svg">
<link rel="stylesheet" href="/dashboard.css">
</head>
<body class="notice">
<main>
<h1>What Drawbridge reads on this machine</h1>
<p class="lead">{lead}</p>
<section aria-labelledby="decrypted"><h2 id="decrypted">What is decrypted</h2>
<p>Connections to the {hosts} hosts of {services} AI services below, and nothing else. Every other connection passes
unread: mail, banks, health, the rest of the web. The certificate that makes this possible cannot vouch for any other
host.</p>
<p>On these hosts, requests that ask a model are read, and their answers. Sign-in, updates and telemetry pass as they
came.</p>
<details><summary>All of these services and hosts</summary><dl class="hosts">{list}</dl></details></section>
<section aria-labelledby="done"><h2 id="done">What is done with it</h2>
<ul>{notes}</ul>
<div class="scroll" tabindex="0" role="region" aria-label="Rules">
<table><thead><tr><th scope="col">About</th><th scope="col">What is done</th><th scope="col">Rule</th></tr></thead>
<tbody>{rules}</tbody></table></div></section>
<section aria-labelledby="kept"><h2 id="kept">What is kept</h2>
<p>{kept}</p>
<p>For how long: {kept_for}</p></section>
<section aria-labelledby="ask"><h2 id="ask">Whom to ask</h2>
<p>{contact}</p>
<p>What was decided about your own requests: <code>drawbridge events</code>, <code>drawbridge dashboard</code>. Why
one was blocked, and how to object: <code>drawbridge explain REF</code>.</p></section>
</main>
<footer><p>Policy <b>{policy}</b>, revision {revision}, <code>{digest}</code></p></footer>
</body>
</html>
"""


def notice_page(book: RuleBook) -> str:
    """The page, as HTML."""
    policy = book.policy
    services = words.services(book)
    who = policy.notice.organisation
    managed = f" This machine is managed by {escape(who)}." if who else ""
    return _PAGE.format(
        lead="Drawbridge stands between the AI tools of this machine and the models that they talk to."
        + managed,
        hosts=len(book.catalog.hosts),
        services=len(services),
        list="".join(
            f"<dt>{escape(str(each['name']))}</dt>"
            + "".join(f"<dd>{escape(host)}</dd>" for host in _hosts(each))
            for each in services
        ),
        notes="".join(f"<li>{escape(note)}</li>" for note in words.notes(policy)),
        rules="".join(
            f"<tr><td>{escape(each.about)}</td><td>{escape(each.does)}</td><td><code>{escape(each.id)}</code></td></tr>"
            for each in words.rules(policy)
        )
        or '<tr><td colspan="3">There are no rules: everything passes.</td></tr>',
        kept=escape(words.kept(policy)),
        kept_for=escape(words.kept_for(Limits())),
        contact=_contact(book),
        policy=escape(policy.id),
        revision=policy.revision,
        digest=escape(book.digest[:12]),
    )


def _hosts(service: dict[str, object]) -> list[str]:
    hosts = service["hosts"]
    return hosts if isinstance(hosts, list) else []


def _contact(book: RuleBook) -> str:
    notice = book.policy.notice
    if not notice.contact and notice.url is None:
        return "Whoever manages this machine. The policy names nobody (<code>notice.contact</code>)."
    url = (
        ""
        if notice.url is None
        else f' <a href="{escape(notice.url)}" rel="noreferrer">{escape(notice.url)}</a>'
    )
    return escape(notice.contact) + url
