// Renders interactive elements. A surface has `click(element, block, value)`, `held` values and `values` to fill.
import { h } from "./dom.js";
import { emoji } from "./emoji.js";

const names = (text) => (text ?? "").replace(/:([\w+-]+):/g, (whole, short) => emoji(short) ?? whole);

export function element(part, block, surface) {
  const held = surface.held?.[block.block_id]?.[part.action_id];
  const draw = DRAW[part.type] ?? DRAW[part.type.replace("multi_", "")];
  return draw ? draw(part, block, surface, held) : h("span", { class: "unknown" }, `[${part.type}]`);
}

function confirmed(part) {
  const ask = part.confirm;
  return !ask || window.confirm(`${ask.title.text}\n\n${ask.text.text}`);
}

function button(part, block, surface) {
  const press = async (event) => {
    event.preventDefault();
    if (!confirmed(part)) return;
    if (part.url) window.open(part.url, "_blank", "noreferrer");
    event.currentTarget.classList.add("busy");
    const node = event.currentTarget;
    await surface.click(part, block, null);
    node.classList.remove("busy");
  };
  return h("button", { class: `button ${part.style ?? ""}`, type: "button", "data-action": part.action_id, onclick: press },
    names(part.text?.text ?? "•"), part.url && h("span", { class: "out" }, "↗"));
}

function overflow(part, block, surface) {
  const menu = h("div", { class: "menu" }, part.options.map((option) =>
    h("button", { type: "button", onclick: () => {
      menu.parentElement.removeAttribute("open");
      if (option.url) window.open(option.url, "_blank", "noreferrer");
      surface.click(part, block, option.value);
    } }, names(option.text.text))));
  return h("details", { class: "overflow" }, h("summary", { "aria-label": "More" }, "⋯"), menu);
}

// A change goes to the app at once in messages and, in a modal, is kept for the submission.
function keep(part, block, surface, value) {
  if (surface.values) (surface.values[block.block_id] ??= {})[part.action_id] = value;
  if (block.type !== "input" || block.dispatch_action) surface.click(part, block, value);
}

function select(part, block, surface, held) {
  const many = part.type.startsWith("multi_");
  const chosen = chosenValues(held, part);
  const option = (o) => h("option", { value: o.value, selected: chosen.includes(o.value) }, names(o.text.text));
  const groups = part.option_groups?.map((g) => h("optgroup", { label: g.label.text }, g.options.map(option)));
  const inner = groups ?? optionsOf(part, surface).map(option);
  const empty = !many && h("option", { value: "", disabled: block.type !== "input", selected: !chosen.length }, part.placeholder?.text ?? "Choose …");
  const change = (event) => {
    const values = [...event.target.selectedOptions].map((o) => o.value);
    keep(part, block, surface, many ? values : values[0] ?? "");
  };
  return h("select", { class: "select", multiple: many, size: many ? Math.min(5, inner.length) : null, "data-action": part.action_id, onchange: change }, empty, inner);
}

function optionsOf(part, surface) {
  const { users, channels } = surface.world;
  if (part.type.includes("users")) {
    return Object.values(users).map((u) => ({ value: u.id, text: { text: u.real_name } }));
  }
  if (part.type.includes("channels") || part.type.includes("conversations")) {
    return channels.filter((c) => c.name).map((c) => ({ value: c.id, text: { text: `# ${c.name}` } }));
  }
  return part.options ?? [];
}

function chosenValues(held, part) {
  if (!held) return [part.initial_option?.value].filter(Boolean);
  const values = Object.entries(held).filter(([key]) => key.startsWith("selected")).flatMap(([, value]) => value ?? []);
  return values.map((value) => value?.value ?? value);
}

function externalSelect(part, block, surface, held) {
  const listed = h("datalist", { id: `list-${part.action_id}` });
  const ask = async (event) => {
    const reply = (await surface.suggest?.(part, event.target.value))?.reply;
    listed.replaceChildren(...(reply?.options ?? []).map((o) => h("option", { value: o.value }, o.text.text)));
  };
  const input = h("input", { list: listed.id, placeholder: part.placeholder?.text, value: chosenValues(held, part)[0] ?? "", oninput: ask, onchange: (e) => keep(part, block, surface, e.target.value) });
  return h("span", {}, input, listed);
}

function choices(part, block, surface, held) {
  const many = part.type === "checkboxes";
  const chosen = held ? chosenValues(held, part) : (part.initial_options ?? [part.initial_option]).filter(Boolean).map((o) => o.value);
  const box = h("div", { class: "choices", "data-action": part.action_id });
  const change = () => {
    const values = [...box.querySelectorAll("input:checked")].map((i) => i.value);
    keep(part, block, surface, many ? values : values[0]);
  };
  box.append(...part.options.map((o) => h("label", {},
    h("input", { type: many ? "checkbox" : "radio", name: `${block.block_id}-${part.action_id}`, value: o.value, checked: chosen.includes(o.value), onchange: change }),
    h("span", {}, names(o.text.text), o.description && h("small", {}, o.description.text)))));
  return box;
}

// A box in a message: Enter sends it, and what is typed outlives the redrawing of the message.
const drafts = new Map();
let typedIn = null;

function messageInput(part, block, surface, common) {
  const key = `${block.block_id}:${part.action_id}`;
  const node = h("input", { ...common, type: "text", value: drafts.get(key) ?? "",
    oninput: (e) => drafts.set((typedIn = key), e.target.value),
    onblur: () => { if (node.isConnected) typedIn = null; },
    onkeydown: (e) => {
      if (e.key !== "Enter" || e.isComposing || !e.target.value.trim()) return;
      e.preventDefault();
      drafts.delete(key);
      surface.click(part, block, e.target.value);
      e.target.value = "";
    } });
  if (typedIn === key) queueMicrotask(() => { node.focus(); node.setSelectionRange(node.value.length, node.value.length); });
  return node;
}

function textInput(part, block, surface, held) {
  const type = { number_input: "number", email_text_input: "email", url_text_input: "url" }[part.type] ?? "text";
  const value = held?.value ?? part.initial_value ?? "";
  const common = { placeholder: part.placeholder?.text, maxlength: part.max_length, value, "data-action": part.action_id, oninput: (e) => surface.values && keepQuietly(part, block, surface, e.target.value) };
  if (block.dispatch_action && !surface.values) return messageInput(part, block, surface, common);
  return part.multiline ? h("textarea", { rows: 5, ...common }) : h("input", { type, ...common });
}

function keepQuietly(part, block, surface, value) {
  (surface.values[block.block_id] ??= {})[part.action_id] = value;
}

function picker(type, key, initial) {
  return (part, block, surface, held) =>
    h("input", { type, class: "select", value: held?.[key] ?? part[initial] ?? "", "data-action": part.action_id, onchange: (e) => keep(part, block, surface, e.target.value) });
}

function feedback(part, block, surface) {
  const side = (name, icon) => h("button", { class: "button icon", type: "button", title: part[name].text.text, "data-action": part.action_id,
    onclick: (e) => { e.currentTarget.classList.add("chosen"); surface.click(part, block, part[name].value); } }, icon);
  return h("span", { class: "feedback" }, side("positive_button", "👍"), side("negative_button", "👎"));
}

const DRAW = {
  button,
  overflow,
  workflow_button: button,
  icon_button: button,
  feedback_buttons: feedback,
  static_select: select,
  users_select: select,
  channels_select: select,
  conversations_select: select,
  external_select: externalSelect,
  checkboxes: choices,
  radio_buttons: choices,
  plain_text_input: textInput,
  number_input: textInput,
  email_text_input: textInput,
  url_text_input: textInput,
  rich_text_input: textInput,
  datepicker: picker("date", "selected_date", "initial_date"),
  timepicker: picker("time", "selected_time", "initial_time"),
  image: (part) => h("img", { class: "thumb", src: part.image_url, alt: part.alt_text }),
};
