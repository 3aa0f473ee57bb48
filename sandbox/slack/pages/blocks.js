// Renders Block Kit blocks; `surface` says what a click does and which values are held.
import { h } from "./dom.js";
import { element } from "./elements.js";
import { markdown, mrkdwn } from "./mrkdwn.js";
import { richText } from "./rich_text.js";

export function textNode(text, world) {
  if (!text) return null;
  return text.type === "mrkdwn" ? mrkdwn(text.text, world) : h("div", { class: "plain" }, emojiText(text.text, world));
}

function emojiText(text, world) {
  return mrkdwn(text.replaceAll("*", "∗").replaceAll("_", "＿"), world).textContent.replaceAll("∗", "*").replaceAll("＿", "_");
}

export function blocks(list, surface) {
  return h("div", { class: "blocks" }, list.map((block) => blockNode(block, surface)));
}

function blockNode(block, surface) {
  const draw = DRAW[block.type];
  return draw ? draw(block, surface) : h("div", { class: "unknown" }, `[${block.type}]`);
}

const DRAW = {
  section: (block, surface) =>
    h("div", { class: "section" },
      h("div", { class: "section-body" },
        textNode(block.text, surface.world),
        block.fields && h("div", { class: "fields" }, block.fields.map((f) => textNode(f, surface.world)))),
      block.accessory && h("div", { class: "accessory" }, element(block.accessory, block, surface))),
  header: (block, surface) => h("div", { class: "header-block" }, emojiText(block.text.text, surface.world)),
  divider: () => h("hr"),
  context: (block, surface) =>
    h("div", { class: "context" }, block.elements.map((part) =>
      part.type === "image"
        ? h("img", { src: part.image_url, alt: part.alt_text, title: part.alt_text })
        : textNode(part, surface.world))),
  image: (block) =>
    h("figure", {},
      block.title && h("figcaption", {}, block.title.text),
      h("img", { src: block.image_url, alt: block.alt_text, onerror: (e) => e.target.classList.add("missing") })),
  actions: (block, surface) =>
    h("div", { class: "actions" }, block.elements.map((part) => element(part, block, surface))),
  context_actions: (block, surface) =>
    h("div", { class: "actions quiet" }, block.elements.map((part) => element(part, block, surface))),
  markdown: (block, surface) => markdown(block.text, surface.world),
  rich_text: (block, surface) => richText(block, surface.world),
  input: (block, surface) => {
    const problem = surface.errors?.[block.block_id];
    return h("label", { class: problem ? "input wrong" : "input" },
      h("span", { class: "label" }, block.label.text, block.optional && h("i", {}, " (optional)")),
      element(block.element, block, surface),
      problem && h("span", { class: "problem" }, problem),
      block.hint && h("span", { class: "hint" }, block.hint.text));
  },
  table: (block, surface) =>
    h("table", {}, block.rows.map((row) => h("tr", {}, row.map((cell) =>
      h("td", {}, cell.type === "rich_text" ? richText(cell, surface.world) : cell.text ?? ""))))),
  file: (block) => h("div", { class: "unknown" }, `File ${block.external_id ?? ""}`),
  video: (block) => h("a", { href: block.title_url ?? block.video_url, target: "_blank" }, `▶ ${block.title?.text ?? "Video"}`),
};
