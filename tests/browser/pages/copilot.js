"use strict";
// Microsoft Copilot: everything on one WebSocket.
let socket = null;

async function connected() {
  if (socket?.readyState === WebSocket.OPEN) return socket;
  const made = await fetch("/c/api/conversations", { method: "POST" });
  chat.conversation = (await made.json()).id;
  socket = new WebSocket(`wss://${location.host}/c/api/chat?api-version=2`);
  await new Promise((resolve, reject) => { socket.onopen = resolve; socket.onerror = () => reject(new Error("no connection")); });
  return socket;
}

async function ask(text) {
  const line = await connected();
  let element = null, said = "";
  const over = new Promise((resolve, reject) => {
    line.onclose = () => reject(new Error("the connection was closed"));
    line.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      if (frame.event === "startMessage") [element, said] = [chat.turn("assistant"), ""];
      if (frame.event === "appendText") chat.say(element ??= chat.turn("assistant"), (said += frame.text));
      if (frame.event === "replaceText") chat.say(element, (said = frame.text));
      if (frame.event === "titleUpdate") chat.title(frame.title);
      if (frame.event === "error") reject(new Error(frame.message ?? frame.errorCode));
      if (frame.event === "done") resolve();
    };
  });
  line.send(JSON.stringify({
    event: "send",
    conversationId: chat.conversation,
    content: [{ type: "text", text }],
    mode: "chat",
    context: {},
  }));
  await over;
}

chat.start(ask);
