// Talks to the sandbox: one look per change, acts as the chosen person.
import { toast } from "./dom.js";

async function answer(response) {
  const body = await response.json();
  if (!body.ok && body.error !== "input_required") {
    toast(`That did not work: ${body.error.replaceAll("_", " ")}${body.status ? ` (${body.status})` : ""}`);
  }
  return body;
}

export async function act(name, body) {
  const response = await fetch(`/_sandbox/${name}`, { method: "POST", body: JSON.stringify(body) });
  // A failed command already shows as Slackbot's own message.
  return name === "command" ? response.json() : answer(response);
}

export async function upload(fields, file) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value) form.append(name, value);
  form.append("file", file);
  return answer(await fetch("/_sandbox/upload", { method: "POST", body: form }));
}

export async function people() {
  return (await fetch("/_sandbox/people")).json();
}

export async function look(user) {
  return (await fetch(`/_sandbox/look?user=${encodeURIComponent(user)}`)).json();
}

export function onChange(listener) {
  const source = new EventSource("/_sandbox/stream");
  source.onmessage = () => listener();
  return source;
}
