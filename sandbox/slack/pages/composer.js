// The box people write in: messages, slash commands, @ suggestions, files.
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { avatar } from "./messages.js";
import { act, upload } from "./server.js";

// `place()` gives { world, channel, thread_ts }; commands are for channels, not threads, as in Slack.
export function composer(place, placeholder) {
  const hints = h("div", { class: "hints", hidden: true });
  const input = h("textarea", { rows: 1, placeholder, "aria-label": placeholder });
  const picker = h("input", { type: "file", hidden: true, onchange: () => sendFile(place, picker, input) });
  const send = h("button", { class: "send", title: "Send", onclick: () => submit(place, input) }, icon("send"));
  input.addEventListener("input", () => { grow(input); suggest(place, input, hints); });
  input.addEventListener("keydown", (event) => onKey(event, place, input, hints));
  return h("div", { class: "compose" }, hints, input,
    h("div", { class: "bar" },
      h("button", { title: "Attach a file", onclick: () => picker.click() }, icon("plus")),
      h("button", { title: "Mention the app", onclick: () => insert(input, `@${place().world.bot.name} `) }, "@"),
      h("button", { title: "Slash command", onclick: () => { if (!input.value) insert(input, "/ask "); } }, "/"),
      picker, h("span", { class: "spring" }, h("small", {}, "Enter to send, Shift + Enter for a new line")), send));
}

function grow(input) {
  input.style.height = "auto";
  input.style.height = `${Math.min(input.scrollHeight, 220)}px`;
}

function insert(input, text) {
  input.setRangeText(text, input.selectionStart, input.selectionEnd, "end");
  input.focus();
  input.dispatchEvent(new Event("input"));
}

function onKey(event, place, input, hints) {
  const open = !hints.hidden && hints.firstChild;
  if (open && (event.key === "Tab" || event.key === "Enter")) {
    event.preventDefault();
    hints.firstChild.click();
  } else if (event.key === "Escape") {
    hints.hidden = true;
  } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    submit(place, input);
  }
}

async function submit(place, input) {
  const text = input.value.trim();
  if (!text) return;
  const { world, channel, thread_ts } = place();
  input.value = "";
  grow(input);
  const command = !thread_ts && text.match(/^\/([\w-]+)\s*([\s\S]*)$/);
  if (command) await act("command", { user: world.me, channel, command: `/${command[1]}`, text: command[2] });
  else await act("message", { user: world.me, channel, text, thread_ts });
}

async function sendFile(place, picker, input) {
  const { world, channel, thread_ts } = place();
  if (picker.files[0]) await upload({ user: world.me, channel, thread_ts, text: input.value.trim() }, picker.files[0]);
  picker.value = "";
  input.value = "";
}

function suggest(place, input, hints) {
  const typed = input.value.slice(0, input.selectionStart).match(/(?:^|\s)@([\w.-]*)$/);
  const { world } = place();
  const found = typed && Object.values(world.users)
    .filter((u) => u.id !== "USLACKBOT" && u.id !== world.me)
    .filter((u) => `${u.name} ${u.real_name}`.toLowerCase().includes(typed[1].toLowerCase()) && u.name !== typed[1]).slice(0, 6);
  hints.hidden = !found?.length;
  hints.replaceChildren(...(found ?? []).map((user) => h("button", { onclick: () => {
    input.setRangeText(`@${user.name} `, input.selectionStart - typed[1].length - 1, input.selectionStart, "end");
    hints.hidden = true;
    input.focus();
  } }, avatar(user, false), h("b", {}, user.real_name), h("span", {}, user.name))));
}
