// Draws messages: grouping by author, dates, ephemeral notes, threads, files, reactions.
import { blocks } from "./blocks.js";
import { clock, day, h, size } from "./dom.js";
import { emoji } from "./emoji.js";
import { icon } from "./icons.js";
import { mrkdwn } from "./mrkdwn.js";
import { act } from "./server.js";

const GROUP_S = 300;

// What the app's manifest adds to a message's menu.
const SHORTCUTS = [
  { id: "ask_about", title: "Ask about this", icon: "🔎" },
  { id: "draft_minutes", title: "Draft minutes from this recording", icon: "📝", wantsFile: true },
];

export function avatar(user, large = true) {
  const name = user?.real_name ?? "?";
  if (user?.is_bot) return h("span", { class: `avatar bot ${large ? "" : "small"}` }, name.slice(0, 1).toUpperCase());
  const hue = [...(user?.id ?? "?")].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) % 360, 7);
  const initials = name.split(/\s+/).map((w) => w[0]).slice(0, 2).join("").toUpperCase();
  return h("span", { class: `avatar ${large ? "" : "small"}`, style: `--hue:${hue}` }, initials);
}

// `options`: { inThread, openThread(ts) }
export function messageList(messages, world, options) {
  const nodes = [];
  let before = null;
  for (const message of messages) {
    const newDay = !before || day(before.ts) !== day(message.ts);
    if (newDay && !options.inThread) nodes.push(h("div", { class: "day" }, h("span", {}, day(message.ts))));
    const close = before && !newDay && before.user === message.user && message.ts - before.ts < GROUP_S
      && !message.visible_to && !before.visible_to && !(before.reply_count && !options.inThread);
    nodes.push(messageNode(message, world, options, close));
    before = message;
  }
  return nodes;
}

function messageNode(message, world, options, close) {
  const user = world.users[message.user];
  const note = message.visible_to && h("div", { class: "only-you" }, h("span", { class: "eye" }, icon("eye", 14)), " Only visible to you");
  const tags = [user?.is_bot && h("span", { class: "tag" }, "APP"), user?.is_external && h("span", { class: "tag ext" }, "EXT"), user?.is_guest && h("span", { class: "tag" }, "GUEST")];
  const head = h("div", { class: "by" },
    h("b", {}, message.username ?? user?.real_name ?? message.user), tags,
    h("time", { title: new Date(message.ts * 1000).toLocaleString() }, clock(message.ts)));
  return h("article", { class: `message ${close ? "close" : ""} ${message.visible_to ? "ephemeral" : ""}`, id: `m${message.ts}`, "data-ts": message.ts },
    note,
    h("div", { class: "row" },
      close ? h("time", { class: "gutter" }, clock(message.ts)) : avatar(user),
      h("div", { class: "body" }, !close && head, content(message, world), reactions(message, world), !options.inThread && replies(message, world, options))),
    tools(message, world, options));
}

function content(message, world) {
  const surface = {
    world,
    held: message.state,
    click: (element, block, value) =>
      act("click", { user: world.me, channel: message.channel, ts: message.ts, action_id: element.action_id, block_id: block.block_id, value }),
  };
  const own = message.own_blocks?.length ? blocks(message.own_blocks, surface) : message.text && mrkdwn(message.text, world);
  return h("div", { class: `content ${message.streaming ? "streaming" : ""}` }, own,
    message.edited && h("span", { class: "edited" }, "(edited)"),
    (message.attachments ?? []).map((a) => attachment(a, surface)), (message.files ?? []).map(fileCard));
}

function attachment(a, surface) {
  return h("div", { class: "attachment", style: a.color ? `border-color:#${a.color.replace("#", "")}` : null },
    a.title && h("b", {}, a.title), a.text && mrkdwn(a.text, surface.world), a.blocks && blocks(a.blocks, surface));
}

function fileCard(file) {
  const href = `/_sandbox/file/${file.id}`;
  if (file.mimetype.startsWith("image/")) return h("a", { href, target: "_blank" }, h("img", { class: "picture", src: href, alt: file.title }));
  const player = file.mimetype.startsWith("audio/") && h("audio", { controls: true, preload: "none", src: href });
  return h("div", { class: "file" }, h("a", { href, target: "_blank" }, h("span", { class: "ext" }, file.filetype.slice(0, 4)),
    h("span", {}, h("b", {}, file.title), h("small", {}, `${file.pretty_type} · ${size(file.size)}`))), player);
}

function reactions(message, world) {
  if (!message.reactions?.length) return null;
  return h("div", { class: "reactions" }, message.reactions.map((r) =>
    h("button", { class: r.users.includes(world.me) ? "mine" : "", title: r.users.map((u) => world.users[u]?.real_name).join(", "),
      onclick: () => react(message, world, r.name) }, emoji(r.name) ?? `:${r.name}:`, h("span", {}, r.count))));
}

const react = (message, world, name) => act("reaction", { user: world.me, channel: message.channel, ts: message.ts, name });

const shortcut = (message, world, callback_id) => act("shortcut", { user: world.me, channel: message.channel, ts: message.ts, callback_id });

function replies(message, world, options) {
  if (!message.reply_count) return null;
  return h("button", { class: "replies", onclick: () => options.openThread(message.ts) },
    message.reply_users.slice(0, 4).map((u) => avatar(world.users[u], false)),
    h("b", {}, `${message.reply_count} ${message.reply_count === 1 ? "reply" : "replies"}`),
    h("span", {}, `Last at ${clock(message.latest_reply)}`));
}

function tools(message, world, options) {
  const dismiss = () => act("edit", { user: world.me, channel: message.channel, ts: message.ts, delete: true });
  if (message.visible_to) return h("div", { class: "tools" }, h("button", { title: "Dismiss", onclick: dismiss }, icon("close")));
  return h("div", { class: "tools" },
    ["+1", "eyes", "white_check_mark"].map((n) => h("button", { title: n, onclick: () => react(message, world, n) }, emoji(n))),
    SHORTCUTS.filter((s) => !s.wantsFile || message.files?.length).map((s) => h("button", { title: s.title, onclick: () => shortcut(message, world, s.id) }, s.icon)),
    !options.inThread && h("button", { title: "Reply in thread", onclick: () => options.openThread(message.thread_ts ?? message.ts) }, icon("reply")),
    message.user === world.me && h("button", { title: "Delete", onclick: dismiss }, icon("trash")));
}
