"use strict";
// What all pages share: the list of turns, the form, streams read line by line, and requests that must not change.
// `seen` keeps every text that was ever shown, so that a test can tell whether something flashed up and went.
const chat = { seen: [], busy: false, errors: [] };
const $ = (selector) => document.querySelector(selector);

chat.turn = (kind, text = "") => {
  const element = document.createElement("div");
  element.className = `turn ${kind}`;
  $("#turns").append(element);
  chat.say(element, text);
  return element;
};
chat.say = (element, text) => {
  element.textContent = text;
  if (text && !element.classList.contains("user")) chat.seen.push(text);
  $("#turns").scrollTop = 1e9;
};
chat.title = (text) => { $(".title").textContent = text; chat.seen.push(text); };
chat.fail = (text) => {
  chat.errors.push(text);
  $("#error").textContent = text;
  $("#error").style.display = "block";
};
chat.start = (ask, draft = () => {}) => {
  const field = $("textarea");
  let timer = 0;
  field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(() => draft(field.value), 60); });
  field.addEventListener("keydown", async (event) => {
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    clearTimeout(timer);
    const text = field.value;
    field.value = "";
    chat.busy = true;
    await draft(text);
    chat.turn("user", text);
    try { await ask(text); } catch (error) { chat.fail(`Something went wrong: ${error.message}`); }
    chat.busy = false;
  });
};

// The text of a response, as it comes.
async function* pieces(response) {
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield decoder.decode(value, { stream: true });
  }
}

// The events of a response, by the HTML standard.
async function* events(response) {
  let rest = "";
  for await (const piece of pieces(response)) {
    const parts = (rest + piece).replaceAll("\r\n", "\n").split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const event = { name: "", data: [] };
      for (const line of part.split("\n")) {
        if (line.startsWith("data:")) event.data.push(line.slice(5).replace(/^ /, ""));
        if (line.startsWith("event:")) event.name = line.slice(6).trim();
      }
      if (event.data.length) yield { name: event.name, data: event.data.join("\n") };
    }
  }
}

const digest = async (bytes) =>
  [...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))].map((b) => b.toString(16).padStart(2, "0")).join("");

// Sends a body to a path that is nobody's business, and tells whether it arrived and came back as it was.
chat.probe = async (path, text, type = "application/json") => {
  const body = new TextEncoder().encode(text);
  const sent = await digest(body);
  const response = await fetch(path, { method: "POST", body, headers: { "content-type": type, "x-sent": sent } });
  const back = await digest(await response.arrayBuffer());
  return { status: response.status, arrived: response.headers.get("x-arrived") === sent, returned: back === sent };
};

// Says something on a WebSocket and tells what comes back.
chat.socket = (url, text) => new Promise((resolve, reject) => {
  const socket = new WebSocket(url);
  socket.onopen = () => socket.send(text);
  socket.onmessage = (message) => { resolve(message.data); socket.close(); };
  socket.onerror = () => reject(new Error("the socket failed"));
});
