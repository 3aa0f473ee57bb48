// Renders rich_text blocks.
import { h } from "./dom.js";
import { emoji } from "./emoji.js";
import { channelName, link, mention } from "./mrkdwn.js";

export function richText(block, world) {
  return h("div", { class: "mrkdwn" }, (block.elements ?? []).map((part) => partNode(part, world)));
}

function partNode(part, world) {
  const inside = () => (part.elements ?? []).map((leaf) => leafNode(leaf, world));
  if (part.type === "rich_text_preformatted") return h("pre", {}, inside());
  if (part.type === "rich_text_quote") return h("blockquote", {}, h("div", { class: "pre-line" }, inside()));
  if (part.type === "rich_text_list") {
    const items = part.elements.map((item) => h("li", {}, item.elements.map((leaf) => leafNode(leaf, world))));
    return h(part.style === "ordered" ? "ol" : "ul", { style: `margin-left:${(part.indent ?? 0) * 18}px` }, items);
  }
  return h("div", { class: "pre-line" }, inside());
}

function leafNode(leaf, world) {
  if (leaf.type === "user") return mention(leaf.user_id, world);
  if (leaf.type === "channel") return channelName(leaf.channel_id, "", world);
  if (leaf.type === "usergroup") return h("span", { class: "mention" }, "@group");
  if (leaf.type === "broadcast") return h("span", { class: "mention" }, `@${leaf.range}`);
  if (leaf.type === "emoji") return emoji(leaf.name) ?? `:${leaf.name}:`;
  const text = leaf.type === "link" ? link(leaf.url, leaf.text || leaf.url) : (leaf.text ?? "");
  return styled(text, leaf.style ?? {});
}

function styled(node, style) {
  let out = node;
  for (const [name, tag] of [["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "s"]]) {
    if (style[name]) out = h(tag, {}, out);
  }
  return out;
}
