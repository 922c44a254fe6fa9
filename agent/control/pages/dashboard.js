// The dashboard: asks the agent once a second what is new, and shows it. Reads only; nothing comes from elsewhere.
// Everything that is shown is set as text, never as markup.

const EVERY = 1000, AFTER_TROUBLE = 3000, KEPT = 500, SHOWN = 150, SERVICES = 400;
const $ = (id) => document.getElementById(id);
const place = location.pathname;
const lines = [];
let latest = 0, held = false, since = null;

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function pair(name, value, note) {
  return make("div", {}, make("dt", {}, name), make("dd", {}, value, note === undefined ? null : make("small", {}, note)));
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" });
const number = new Intl.NumberFormat();

function time(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 10) return ms.toFixed(2) + " ms";
  if (ms < 1000) return Math.round(ms) + " ms";
  return ms < 60000 ? (ms / 1000).toFixed(1) + " s" : Math.round(ms / 60000) + " min";
}

function dollars(nano) {
  const value = (nano || 0) / 1e9;
  return "$" + (value >= 100 ? value.toFixed(0) : value >= 1 || value === 0 ? value.toFixed(2) : value.toPrecision(2));
}

function span(seconds) {
  if (seconds < 90) return Math.max(0, Math.round(seconds)) + " s";
  if (seconds < 5400) return Math.round(seconds / 60) + " min";
  return seconds < 172800 ? Math.round(seconds / 3600) + " h" : Math.round(seconds / 86400) + " days";
}

// Text of a node that is only touched where it changed: a screen reader speaks what changes.
function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// State

const WORDS = {
  guarding: ["Guarding", "AI traffic of this machine is inspected, and the policy is carried out."],
  observing: ["Observing", "AI traffic is inspected; the policy only records what it would do."],
  degraded: ["Degraded", "Traffic is inspected, but something needs attention."],
  paused: ["Paused", "New connections to AI services pass unseen."],
};

function showState(facts) {
  const [word, sentence] = WORDS[facts.state] || [facts.state, ""];
  $("banner").dataset.state = facts.state;
  say($("word"), word);
  const worst = facts.health[0];
  if (facts.pause) {
    const by = facts.pause.reason ? `${facts.pause.user}: “${facts.pause.reason}”` : facts.pause.user;
    say($("sentence"), `Until ${clock.format(facts.pause.ends_at * 1000)}. ${by}. ${sentence}`);
  } else {
    say($("sentence"), facts.state === "degraded" && worst ? `${worst.title}: ${worst.text}` : sentence);
  }
  document.title = `${word} · Drawbridge`;
  const policy = facts.policy || {};
  $("facts").replaceChildren(
    pair("Policy", `${policy.id} r${policy.revision}`),
    pair("Hosts", number.format(facts.hosts)),
    pair("Up for", span(Date.now() / 1000 - facts.started_at)),
    pair("Events recorded", number.format(facts.audit_events)),
  );
  const shown = facts.health.filter((each) => each.code !== "paused" && each.code !== "observing");
  const mark = JSON.stringify(shown);
  if ($("warnings").dataset.mark !== mark) {
    $("warnings").dataset.mark = mark;
    $("warnings").replaceChildren(...shown.map((each) => make("li", { "data-severity": each.severity },
      make("b", {}, each.title),
      make("span", {}, `${each.text ? each.text + ". " : ""}Since ${moment.format(each.since * 1000)}.`), " ",
      make("span", { class: "remedy" }, each.remedy))));
  }
  say($("about"), `Drawbridge ${facts.version}, process ${facts.pid}, proxy 127.0.0.1:${facts.proxy_port}, ` +
    `gateway 127.0.0.1:${facts.gateway_port}`);
}

function showTiles(summary, running) {
  $("tiles").replaceChildren(
    pair("Running now", number.format(running), "exchanges"),
    pair("Last minute", number.format(summary.exchanges), `exchanges, ${summary.per_second.toFixed(1)}/s`),
    pair("Blocked", number.format(summary.blocked), summary.failed ? `and ${summary.failed} failed` : "none failed"),
    pair("Latency", time(summary.p50_ms), `median; p95 ${time(summary.p95_ms)}`),
    pair("Added by Drawbridge", time(summary.overhead_p50_ms), `median; p95 ${time(summary.overhead_p95_ms)}`),
    pair("Spent today", dollars(summary.spent_today_nano_usd), `${Math.round(summary.tokens_per_second)} tokens/s`),
  );
}

// Traffic

const TONES = {
  allow: "", alert: "note", pseudonymize: "changed", mask: "changed", redact: "changed", ask: "stopped", block: "stopped",
};
const DONE = {
  allow: "passed", alert: "noted", pseudonymize: "stand-ins", mask: "masked", redact: "redacted", ask: "asked",
  block: "blocked",
};

// A finding's kind for people: secret/openai_api_key is "openai api key (secret)".
function named(kind) {
  const [family, type] = kind.split("/");
  return `${type.replaceAll("_", " ")} (${family})`;
}

function decision(line) {
  const failed = line.failure || (line.outcome !== "completed" && line.outcome !== "blocked" ? line.outcome : "");
  const word = line.action === "allow" && line.outcome === "blocked" ? "block" : line.action;
  const tone = word === "allow" && failed ? "note" : TONES[word];
  const text = word === "allow" && failed ? failed.replaceAll("_", " ") : DONE[word] || word;
  return make("span", { class: "badge", "data-tone": tone, "data-observed": !line.applied && word !== "allow" },
    text + (!line.applied && word !== "allow" ? " (observed)" : ""));
}

function why(line) {
  const found = line.findings.map(([kind, times]) => (times > 1 ? `${times} × ` : "") + named(kind));
  const told = line.reason || found.join(", ") || line.error;
  const rules = line.rules.length ? ` · rule ${line.rules.join(", ")}` : "";
  return told || rules ? make("span", { class: "second" }, told + rules) : null;
}

function tokens(line) {
  if (line.input_tokens === null && line.output_tokens === null) return "–";
  return `${number.format(line.input_tokens ?? 0)} → ${number.format(line.output_tokens ?? 0)}`;
}

// The roles are said aloud: narrow screens lay rows out as blocks, which would be no rows any more.
function cell(name, ...children) {
  return make("td", { role: "cell", class: name || false }, ...children);
}

function row(line) {
  const who = line.within.length ? `${line.app || "a program"} in ${line.within[0]}` : line.app || "a program";
  const target = [line.model, line.provider].filter(Boolean).join(" · ");
  const button = make("button", {
    type: "button", class: "more", "aria-expanded": "false", "aria-label": `Details of ${who} at ${clock.format(line.ended * 1000)}`,
  }, "Why");
  const node = make("tr", { role: "row", class: "line", "data-number": line.number },
    cell("", clock.format(line.ended * 1000)),
    cell("", who, target ? make("span", { class: "second" }, target) : null),
    cell("", decision(line), why(line)),
    cell("wide number", time(line.total_ms)),
    cell("wide number", time(line.overhead_ms)),
    cell("wide number", tokens(line)),
    cell("", button));
  button.addEventListener("click", () => unfold(node, button, line));
  return node;
}

async function unfold(node, button, line) {
  const open = button.getAttribute("aria-expanded") === "true";
  button.setAttribute("aria-expanded", String(!open));
  if (open) {
    node.nextElementSibling?.remove();
    return;
  }
  const list = make("dl", {}, make("dt", {}, "Event"), make("dd", {}, line.id));
  const detail = make("tr", { role: "row", class: "detail" }, make("td", { role: "cell", colspan: "7" }, list));
  node.after(detail);
  const add = (name, value) => value && list.append(make("dt", {}, name), make("dd", {}, String(value)));
  add("Asked by", [line.app, ...line.within].filter(Boolean).join(" in "));
  add("Account", line.account);
  add("Virtual key", line.virtual_key);
  add("Decision", `${line.action}${line.applied ? "" : ", only observed"}`);
  add("Because", line.reason);
  add("Error", line.error);
  add("Rules", line.rules.join(", "));
  add("Cost", line.cost_nano_usd ? dollars(line.cost_nano_usd) : "");
  add("First token", line.first_token_ms === null ? "" : time(line.first_token_ms));
  try {
    const event = await ask(`data/event?id=${encodeURIComponent(line.id)}`);
    const ours = event.unmapped.drawbridge, decided = ours.decision || {};
    for (const hit of decided.hits || []) {
      add("Found", `${hit.count} × ${hit.family}/${hit.type} in the ${hit.where.replaceAll("_", " ")}: ${hit.action}, by the guardrail ` +
        `${hit.guardrail}, detector ${hit.rule}${hit.shadow ? " (on trial)" : ""}`);
    }
    add("Way", [ours.connection?.tier?.replaceAll("_", " "), ours.upstream].filter(Boolean).join(" → "));
    add("Prompt, as kept", ours.content?.prompt);
    add("Answer, as kept", ours.content?.answer);
  } catch (trouble) {
    add("Not told", trouble.message);
  }
}

function wanted(line) {
  if ($("only").checked && line.action === "allow" && line.outcome === "completed") return false;
  const text = $("filter").value.trim().toLowerCase();
  if (!text) return true;
  return [line.app, ...line.within, line.model, line.provider, line.reason, line.action, line.outcome, ...line.rules,
    ...line.findings.map(([kind]) => kind)].join(" ").toLowerCase().includes(text);
}

function showLines(fresh) {
  if (held) return;
  const body = $("lines");
  body.prepend(...fresh.filter(wanted).map(row).reverse());
  while (body.querySelectorAll(".line").length > SHOWN) body.lastElementChild.remove();
  $("no-lines").hidden = lines.length > 0;
}

// Who comes by …#event=ID came for one exchange: it is unfolded, once.
let sought = new URLSearchParams(location.hash.slice(1)).get("event");

function showSought() {
  const line = sought && lines.find((each) => each.id === sought);
  if (!line) return;
  sought = null;
  const node = $("lines").querySelector(`[data-number="${line.number}"]`);
  node?.querySelector(".more").click();
  node?.scrollIntoView({ block: "center" });
}

function showAll() {
  $("lines").replaceChildren();
  const shown = lines.filter(wanted).slice(-SHOWN);
  $("lines").append(...shown.map(row).reverse());
}

function showRunning(running, now) {
  $("running").replaceChildren(...running.slice(-20).reverse().map((each) => make("tr", { role: "row", class: "line" },
    cell("", span(now - each.at)),
    cell("", each.app || "a program", make("span", { class: "second" }, each.model || each.host)),
    cell("", make("span", { class: "badge", "data-tone": "good" }, each.answering ? "answering" : "asking")),
    cell("wide number", ""), cell("wide number", ""), cell("wide number", ""), cell(""))));
}

// Sums

function bars(node, counts) {
  const top = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 8);
  const most = top.length ? top[0][1] : 1;
  node.replaceChildren(...top.map(([name, count]) => {
    const bar = make("span", { class: "bar", "aria-hidden": "true" });
    bar.style.setProperty("--part", `${(100 * count) / most}%`);
    return make("li", {}, bar, make("span", {}, name), make("span", { class: "count" }, number.format(count)));
  }));
  return top.length;
}

function count(values) {
  const counts = new Map();
  for (const [name, add] of values) counts.set(name, (counts.get(name) || 0) + add);
  return counts;
}

function percentile(sorted, part) {
  return sorted.length ? sorted[Math.min(Math.floor(sorted.length * part), sorted.length - 1)] : null;
}

function period(text) {
  const seconds = /^(\d+)s$/.exec(text);
  return seconds ? span(Number(seconds[1])) : text;
}

function showSums(view) {
  const asked = lines.filter((line) => line.operation);
  const found = bars($("kinds"), count(lines.flatMap((line) => line.findings.map(([kind, times]) => [named(kind), times]))));
  $("no-kinds").hidden = found > 0;
  bars($("apps"), count(asked.map((line) => [line.app || "not known", 1])));
  bars($("models"), count(asked.filter((line) => line.model).map((line) => [line.model, 1])));
  const totals = asked.map((line) => line.total_ms).sort((a, b) => a - b);
  const ours = asked.map((line) => line.overhead_ms).sort((a, b) => a - b);
  const firsts = asked.map((line) => line.first_token_ms).filter((ms) => ms !== null).sort((a, b) => a - b);
  const told = (name, sorted) => [0.5, 0.95, 0.99].flatMap((part) =>
    [make("dt", {}, `${name}, p${part * 100}`), make("dd", {}, time(percentile(sorted, part)))]);
  $("latency").replaceChildren(...told("Whole", totals), ...told("First token", firsts), ...told("Added by Drawbridge", ours));
  $("budgets-part").hidden = !view.budgets.length;
  $("budgets").replaceChildren(...view.budgets.map((each) => {
    const value = (amount) => (each.unit === "usd" ? dollars(amount * 1e9) : number.format(amount));
    const name = `${each.owner.replace("_", " ").replace("/", " ")}, ${each.unit === "usd" ? "dollars" : each.unit} per ${period(each.period)}`;
    return make("li", {}, make("span", {}, make("span", {}, name), make("span", {}, `${value(each.used)} of ${value(each.limit)}`)),
      make("meter", { min: 0, max: each.limit, value: Math.min(each.used, each.limit), high: each.limit * 0.8, optimum: 0, "aria-label": name }));
  }));
  $("keys-part").hidden = !view.keys.length;
  $("keys").replaceChildren(...view.keys.map((each) => make("li", {}, make("span", {}, `${each.provider}/${each.key}`),
    make("span", { class: "badge", "data-tone": !each.usable ? "stopped" : each.state === "healthy" ? "good" : "note" }, each.state))));
}

// Policy and hosts: asked again when another policy takes force

let services = [];

async function showPolicy() {
  const policy = await ask("data/policy");
  $("policy-facts").replaceChildren(
    pair("Policy", policy.id), pair("Revision", String(policy.revision)), pair("Mode", policy.mode),
    pair("Kept of content", policy.capture), pair("Digest", policy.digest.slice(0, 12)));
  $("policy-notes").replaceChildren(
    ...[policy.description, ...policy.notes, `Kept: ${policy.kept}`, `For how long: ${policy.kept_for}`].filter(Boolean).map((note) => make("li", {}, note)));
  $("rules").replaceChildren(...policy.rules.map((rule) => make("tr", {},
    cell("", rule.about), cell("", rule.does), cell("", make("code", {}, rule.id)))));
  services = policy.services;
  showHosts();
}

function showHosts() {
  const text = $("search").value.trim().toLowerCase();
  const fits = (each) => !text || each.name.toLowerCase().includes(text) || each.hosts.some((host) => host.includes(text));
  const shown = services.filter(fits);
  const hosts = new Set(shown.flatMap((each) => each.hosts)).size;
  say($("hosts-count"), `${number.format(hosts)} hosts of ${number.format(shown.length)} services` +
    (text ? ` fit “${text}”.` : ". Every other connection is a blind tunnel."));
  $("host-list").replaceChildren(...shown.slice(0, SERVICES).map((each) => make("div", {},
    make("dt", {}, each.name, each.closed ? make("small", {}, " never unseen") : null),
    ...each.hosts.map((host) => make("dd", {}, host)))));
}

// The round

async function ask(path) {
  const answer = await fetch(place + path, { credentials: "same-origin", cache: "no-store" });
  const document_ = await answer.json();
  if (!answer.ok) {
    const trouble = new Error(document_.error?.message || String(answer.status));
    trouble.status = answer.status;
    throw trouble;
  }
  return document_;
}

function gone(sentence) {
  $("banner").dataset.state = "gone";
  say($("word"), "No answer");
  say($("sentence"), sentence);
  document.title = "No answer · Drawbridge";
}

let digest = null;

async function look() {
  const facts = await ask(`data/live?since=${latest}&limit=${KEPT}`);
  const view = facts.view;
  if (view.latest < latest) {  // another agent than before: it counts from 1 again
    latest = 0;
    lines.length = 0;
    $("lines").replaceChildren();
    return;
  }
  latest = view.latest;
  showState(facts);
  showTiles(view.summary, view.running.length);
  showRunning(view.running, view.now);
  if (view.exchanges.length) {
    lines.push(...view.exchanges);
    if (lines.length > KEPT) lines.splice(0, lines.length - KEPT);
  }
  showLines(view.exchanges);
  showSought();
  if (view.exchanges.length || since === null) showSums(view);
  since = view.now;
  if (facts.policy.digest !== digest) {
    digest = facts.policy.digest;
    await showPolicy();
  }
}

async function round() {
  let pause = EVERY;
  try {
    if (!document.hidden) await look();
  } catch (trouble) {
    if (trouble.status === 401) {
      gone("The session is over. Open the dashboard anew: drawbridge dashboard");
      return;
    }
    gone(trouble.status ? trouble.message : "The agent does not answer. It is asked again until it does.");
    pause = AFTER_TROUBLE;
  }
  setTimeout(round, pause);
}

$("filter").addEventListener("input", showAll);
$("only").addEventListener("change", showAll);
$("search").addEventListener("input", showHosts);
$("hold").addEventListener("click", () => {
  held = !held;
  $("hold").setAttribute("aria-pressed", String(held));
  if (!held) showAll();
});
round();
