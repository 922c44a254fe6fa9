"use strict";
// ChatGPT: drafts while one types, answers in the delta encoding or as snapshots, and asks again where [DONE] is missing.
const session = { conversation: null, conduit: null, resumed: 0 };
const post = (path, body, headers = {}) =>
  fetch(path, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json", ...headers } });
const message = (text) => ({
  id: crypto.randomUUID(),
  author: { role: "user" },
  create_time: Date.now() / 1000,
  content: { content_type: "text", parts: [text] },
  metadata: { system_hints: [] },
});
const shared = () => ({
  action: "next",
  parent_message_id: "client-created-root",
  model: "auto",
  conversation_id: session.conversation ?? undefined,
  conversation_mode: { kind: "primary_assistant" },
  system_hints: [],
  supports_buffering: true,
  supported_encodings: ["v1"],
});

async function draft(text) {
  const response = await post("/backend-anon/f/conversation/prepare", { ...shared(), partial_query: message(text) });
  if (response.ok) session.conduit = (await response.json()).conduit_token;
}

function change(root, pointer, operation, value) {
  if (operation === "patch") {
    let p = pointer, o = operation;
    for (const one of value) { p = one.p ?? p; o = one.o ?? o; change(root, p, o, one.v); }
    return;
  }
  let holder = root, key = "root";
  for (const step of pointer.split("/").slice(1)) {
    holder = holder[key];
    key = step.replaceAll("~1", "/").replaceAll("~0", "~");
  }
  const old = holder[key];
  if (operation === "append") {
    holder[key] = typeof old === "string" ? old + value : Array.isArray(old) ? old.concat(value) : { ...old, ...value };
  } else if (operation === "truncate") holder[key] = old.slice(0, value);
  else if (operation === "remove") delete holder[key];
  else holder[key] = value;
}

function show(shown, document) {
  const said = document?.message;
  if (!said || !["assistant", "tool"].includes(said.author.role) || said.recipient !== "all") return;
  session.conversation = document.conversation_id ?? session.conversation;
  shown[said.id] ??= chat.turn("assistant");
  chat.say(shown[said.id], (said.content.parts ?? [said.content.text]).filter((part) => typeof part === "string").join(""));
}

async function ask(text) {
  const body = { ...shared(), messages: [message(text)] };
  const response = await post("/backend-anon/f/conversation", body, { "x-conduit-token": session.conduit ?? "" });
  if (!response.ok) {
    const error = await response.json().catch(() => ({}));
    throw new Error(typeof error.detail === "string" ? error.detail : `status ${response.status}`);
  }
  const documents = {}, shown = {};
  let c = 0, p = "", o = "", done = false;
  for await (const event of events(response)) {
    if (event.data === "[DONE]") { done = true; break; }
    const data = JSON.parse(event.data);
    if (data?.type === "title_generation") chat.title(data.title);
    if (event.name === "delta") {
      c = data.c ?? c; p = data.p ?? p; o = data.o ?? (data.v?.message ? "add" : o);
      const root = { root: documents[c] };
      change(root, data.v?.message ? "" : p, o, data.v);
      documents[c] = root.root;
      show(shown, documents[c]);
    } else if (data && typeof data === "object" && "message" in data) show(shown, data);
  }
  if (!done) { session.resumed += 1; throw new Error("the answer broke off"); }
}

chat.start(ask, draft);
