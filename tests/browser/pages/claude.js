"use strict";
// Claude: one prompt with its documents; the events of the Messages API; errors by their message.
const organization = "0a1b2c3d-0000-4000-8000-000000000001";
const conversation = crypto.randomUUID();
const base = `/api/organizations/${organization}/chat_conversations/${conversation}`;
chat.attachments = [];

async function ask(text) {
  const body = {
    prompt: text,
    parent_message_uuid: "00000000-0000-4000-8000-000000000000",
    timezone: "Europe/Berlin",
    personalized_styles: [{ type: "default", key: "Default", name: "Normal", nameKey: "normal_style_name", prompt: "Normal\n" }],
    tools: [{ type: "web_search_v0", name: "web_search" }],
    attachments: chat.attachments.splice(0),
    files: [],
    sync_sources: [],
    rendering_mode: "messages",
  };
  const response = await fetch(`${base}/completion`, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", accept: "text/event-stream" },
  });
  if (!response.ok) return chat.fail((await response.json()).error.message);
  const blocks = {};
  for await (const event of events(response)) {
    const data = JSON.parse(event.data);
    if (data.type === "content_block_start") {
      blocks[data.index] = { text: "", element: chat.turn(data.content_block.type === "thinking" ? "assistant thought" : "assistant") };
    } else if (data.type === "content_block_delta") {
      const block = blocks[data.index];
      block.text += data.delta.text ?? data.delta.thinking ?? "";
      chat.say(block.element, block.text);
    } else if (data.type === "error") return chat.fail(data.error.message);
  }
  const title = await fetch(`${base}/title`, {
    method: "POST",
    body: JSON.stringify({ message_content: text, recent_titles: [] }),
    headers: { "content-type": "application/json" },
  });
  if (title.ok) chat.title((await title.json()).title);
}

chat.start(ask);
