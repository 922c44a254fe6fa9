"use strict";
// Gemini: a prompt in an array in a text in an array in a form; answers in chunks behind their lengths.
const ids = ["", "", "", null, null, null, null, null, null, ""];

// The chunks of an answer: a length counts from the end of its number, in the units of a JavaScript string.
async function* chunks(response) {
  let rest = "", begun = false;
  for await (const piece of pieces(response)) {
    rest += piece;
    if (!begun && rest.length >= 4) {
      if (!rest.startsWith(")]}'")) throw new Error("the answer is none");
      rest = rest.slice(4);
      begun = true;
    }
    for (;;) {
      rest = rest.trimStart();
      const number = /^(\d+)\n/.exec(rest);
      if (!number || rest.length < number[1].length + Number(number[1])) break;
      const end = number[1].length + Number(number[1]);
      yield JSON.parse(rest.slice(number[1].length, end));
      rest = rest.slice(end);
    }
  }
  if (rest.trim()) throw new Error("the answer broke off");
}

async function ask(text) {
  const inner = Array(69).fill(null);
  inner[0] = [text, 0, null, null, null, null, 0];
  inner[1] = ["en"];
  inner[2] = ids;
  inner[7] = 1;
  const form = new URLSearchParams({ "f.req": JSON.stringify([null, JSON.stringify(inner)]), at: "AIWP:1764220000000" });
  const path = "/_/BardChatUi/data/assistant.lamda.BardFrontendService/StreamGenerate";
  const response = await fetch(`${path}?bl=boq_assistant&_reqid=100000&rt=c`, { method: "POST", body: form });
  if (!response.ok) throw new Error(`status ${response.status}`);
  const shown = {};
  let ended = false;
  for await (const parts of chunks(response)) {
    for (const part of parts) {
      if (part[0] === "e") ended = true;
      if (part[0] !== "wrb.fr" || !part[2]) continue;
      const answer = JSON.parse(part[2]);
      if (answer[1]) [ids[0], ids[1]] = answer[1];
      for (const candidate of answer[4] ?? []) {
        ids[2] = candidate[0];
        shown[candidate[0]] ??= chat.turn("assistant");
        chat.say(shown[candidate[0]], candidate[1][0]);
      }
    }
  }
  if (!ended) throw new Error("the answer broke off");
}

chat.start(ask);
