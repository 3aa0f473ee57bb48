// Renders Slack's mrkdwn and the Markdown of markdown blocks into DOM nodes.
import { h } from "./dom.js";
import { emoji } from "./emoji.js";

const unescape = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

// One inline construct at a time: code, tokens, bold, italic, strike, emoji.
const INLINE = /(`[^`\n]+`)|<([^<>\n]+)>|(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])|(?<![\w_])_(?=\S)([^_\n]+?)(?<=\S)_(?![\w_])|(?<![\w~])~(?=\S)([^~\n]+?)(?<=\S)~(?![\w~])|:([\w+-]+):/g;
const MD_INLINE = /(`[^`\n]+`)|\[([^\[\]\n]+)\]\((https?:[^)\s]+|mailto:[^)\s]+)\)|\*\*(?=\S)(.+?)(?<=\S)\*\*|(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])|(?<![\w_])_(?=\S)([^_\n]+?)(?<=\S)_(?![\w_])|~~(.+?)~~|:([\w+-]+):|(https?:\/\/[^\s<>)]+)/g;

export function link(url, label) {
  const safe = /^(https?|mailto):/i.test(url);
  return safe ? h("a", { href: url, target: "_blank", rel: "noreferrer" }, label) : h("span", {}, label);
}

export function inline(text, world) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    nodes.push(unescape(text.slice(at, match.index)));
    at = match.index + match[0].length;
    const [whole, code, token, bold, italic, strike, short] = match;
    if (code) nodes.push(h("code", {}, unescape(code.slice(1, -1))));
    else if (token) nodes.push(tokenNode(token, world));
    else if (bold) nodes.push(h("strong", {}, inline(bold, world)));
    else if (italic) nodes.push(h("em", {}, inline(italic, world)));
    else if (strike) nodes.push(h("s", {}, inline(strike, world)));
    else nodes.push(emoji(short) ?? whole);
  }
  nodes.push(unescape(text.slice(at)));
  return nodes;
}

function tokenNode(token, world) {
  const [target, ...rest] = token.split("|");
  const label = rest.join("|");
  if (target.startsWith("@")) return mention(target.slice(1), world);
  if (target.startsWith("#")) return channelName(target.slice(1), label, world);
  if (target.startsWith("!date^")) return label || dateText(target);
  if (target.startsWith("!subteam^")) return h("span", { class: "mention" }, label || "@group");
  if (target.startsWith("!")) return h("span", { class: "mention" }, `@${target.slice(1)}`);
  return link(unescape(target), unescape(label || target));
}

function dateText(target) {
  return new Date(Number(target.split("^")[1]) * 1000).toLocaleString();
}

export function mention(id, world) {
  const user = world.users[id];
  const mine = id === world.me ? " me" : "";
  return h("span", { class: `mention${mine}`, title: user?.real_name ?? id }, `@${user ? user.name : id}`);
}

export function channelName(id, label, world) {
  const channel = world.channels.find((c) => c.id === id);
  const open = () => world.open?.(id);
  return h("span", { class: "mention link", onclick: open }, `#${channel?.name || label || "private"}`);
}

// Code fences first, then lines grouped into quotes, bullets and paragraphs.
export function mrkdwn(text, world) {
  return h("div", { class: "mrkdwn" }, fenced(text, (part) => slackLines(part, world)));
}

function fenced(text, lines) {
  return text.split(/```/).flatMap((part, i) =>
    i % 2 ? [h("pre", {}, unescape(part.replace(/^[\w-]*\n/, "\n").replace(/^\n|\n$/g, "")))] : lines(part));
}

function slackLines(text, world) {
  const nodes = [];
  let quote = null;
  for (const line of text.replace(/^\n|\n$/g, "").split("\n")) {
    const quoted = line.match(/^(?:&gt;|>)\s?(.*)$/);
    const bullet = line.match(/^\s*[•◦▪-]\s+(.*)$/);
    if (quoted) {
      if (!quote) nodes.push((quote = h("blockquote")));
      quote.append(h("div", {}, inline(quoted[1], world)));
      continue;
    }
    quote = null;
    if (bullet) nodes.push(h("div", { class: "bullet" }, inline(bullet[1], world)));
    else nodes.push(h("div", { class: line.trim() ? "line" : "gap" }, inline(line, world)));
  }
  return text.trim() ? nodes : [];
}

function mdInline(text, world) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(MD_INLINE)) {
    nodes.push(...inlineTokens(text.slice(at, match.index), world));
    at = match.index + match[0].length;
    const [whole, code, label, url, bold, starred, italic, strike, short, bare] = match;
    if (code) nodes.push(h("code", {}, code.slice(1, -1)));
    else if (label) nodes.push(link(url, label));
    else if (bold) nodes.push(h("strong", {}, mdInline(bold, world)));
    else if (starred || italic) nodes.push(h("em", {}, mdInline(starred || italic, world)));
    else if (strike) nodes.push(h("s", {}, mdInline(strike, world)));
    else if (bare) nodes.push(link(bare, bare));
    else nodes.push(emoji(short) ?? whole);
  }
  nodes.push(...inlineTokens(text.slice(at), world));
  return nodes;
}

// Slack keeps <@U…> and <#C…> in Markdown too.
function inlineTokens(text, world) {
  return text.split(/(<[@#!][^<>]+>)/).map((part, i) => (i % 2 ? tokenNode(part.slice(1, -1), world) : part));
}

export function markdown(text, world) {
  return h("div", { class: "mrkdwn markdown" }, fenced(text, (part) => mdLines(part, world)));
}

function mdLines(text, world) {
  const nodes = [];
  let list = null;
  let table = null;
  for (const line of text.replace(/^\n|\n$/g, "").split("\n")) {
    const heading = line.match(/^(#{1,6})\s+(.*)$/);
    const item = line.match(/^\s*(?:[-*+]|(\d+)[.)])\s+(.*)$/);
    const quoted = line.match(/^>\s?(.*)$/);
    if (/^\s*\|.*\|\s*$/.test(line)) {
      if (!table) nodes.push((table = h("table")));
      if (!/^[\s|:-]+$/.test(line)) {
        const cells = line.trim().slice(1, -1).split("|");
        table.append(h("tr", {}, cells.map((c) => h(table.rows.length ? "td" : "th", {}, mdInline(c.trim(), world)))));
      }
      continue;
    }
    table = null;
    if (item) {
      const tag = item[1] ? "ol" : "ul";
      if (!list || list.tagName.toLowerCase() !== tag) nodes.push((list = h(tag, { start: item[1] })));
      list.append(h("li", {}, mdInline(item[2], world)));
      continue;
    }
    list = null;
    if (heading) nodes.push(h("div", { class: `heading h${heading[1].length}` }, mdInline(heading[2], world)));
    else if (quoted) nodes.push(h("blockquote", {}, mdInline(quoted[1], world)));
    else if (/^\s*(---+|\*\*\*+)\s*$/.test(line)) nodes.push(h("hr"));
    else nodes.push(h("div", { class: line.trim() ? "line" : "gap" }, mdInline(line, world)));
  }
  return text.trim() ? nodes : [];
}
