// Ties the page together: keeps what is open, looks again on every change, draws.
import { composer } from "./composer.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { avatar, messageList } from "./messages.js";
import { home, modal } from "./modal.js";
import { act, look, onChange, people } from "./server.js";
import { sidebar } from "./sidebar.js";

const at = (id) => document.getElementById(id);
const open = { channel: localStorage.channel, thread: null, tab: "messages", goal: null };
const seen = {};
let world = null;
let everyone = [];
let busy = false;
let again = false;

async function start() {
  const who = await people();
  everyone = who.people;
  document.title = `${who.team} chat`;
  const wanted = new URLSearchParams(location.search).get("user") ?? localStorage.user;
  open.user = everyone.find((p) => p.id === wanted || p.name === wanted)?.id ?? everyone[0].id;
  const link = location.pathname.match(/^\/archives\/(\w+)(?:\/p(\d+)(\d{6}))?/);
  if (link) {
    open.channel = link[1];
    open.goal = link[2] ? `${link[2]}.${link[3]}` : null;
    open.thread = new URLSearchParams(location.search).get("thread_ts");
  }
  at("composer").append(composer(() => ({ world, channel: open.channel }), "Message"));
  await refresh();
  onChange(refresh);
}

async function refresh() {
  if (busy) return void (again = true);
  busy = true;
  do {
    again = false;
    const fresh = await look(open.user);
    if (fresh.ok) {
      world = Object.assign(fresh, { open: openChannel });
      draw();
    }
  } while (again);
  busy = false;
}

function openChannel(id) {
  Object.assign(open, { channel: id, thread: null, tab: "messages" });
  localStorage.channel = id;
  at("messages").dataset.stick = "";
  refresh();
}

function become(id) {
  localStorage.user = open.user = id;
  open.thread = null;
  refresh();
}

function openThread(ts) {
  open.thread = ts;
  draw();
}

function current() {
  const rooms = world.channels.filter((c) => c.joined && c.name);
  const channel = world.channels.find((c) => c.id === open.channel) ?? rooms.find((c) => c.name === "general") ?? rooms[0] ?? world.channels[0];
  open.channel = channel?.id;
  return channel;
}

function unread() {
  const rooms = new Set();
  for (const [id, list] of Object.entries(world.messages)) {
    const latest = list.at(-1)?.ts ?? "";
    const key = `${world.me}:${id}`;
    if (!(key in seen) || id === open.channel) seen[key] = latest;
    else if (latest > seen[key]) rooms.add(id);
  }
  return rooms;
}

function draw() {
  const channel = current();
  if (!channel) return;
  const view = { channel: channel.id, unread: unread(), everyone, openChannel, become };
  at("sidebar").replaceChildren(...sidebar(world, view));
  at("header").replaceChildren(...header(channel));
  const atHome = open.tab === "home" && isApp(channel);
  const stick = isAtEnd();
  drawThread(channel);
  drawMessages(channel, atHome, stick);
  at("composer").hidden = atHome || !channel.joined;
  at("composer").querySelector("textarea").placeholder = `Message ${title(channel)}`;
  modal(world, at("modal"));
}

const isApp = (channel) => channel.kind === "im" && channel.members.includes(world.bot.user_id);

function title(channel) {
  if (channel.name) return `#${channel.name}`;
  return channel.others.map((u) => world.users[u].real_name).join(", ") || "yourself";
}

function header(channel) {
  const tab = (name, label) => h("button", { class: open.tab === name ? "tab here" : "tab", onclick: async () => {
    open.tab = name;
    await act("home", { user: world.me, tab: name });
    refresh();
  } }, label);
  const invite = () => act("membership", { user: world.me, channel: channel.id, act: "invite_bot" });
  const join = () => act("membership", { user: world.me, channel: channel.id, act: "join" });
  const chat = async () => openThread((await act("assistant", { user: world.me })).thread_ts);
  return [
    h("div", { class: "title" }, h("b", {}, channel.kind === "group" ? [icon("lock", 15), " ", channel.name] : title(channel).replace("#", "# ")), channel.is_shared && h("span", { class: "tag ext" }, "EXTERNAL"), channel.topic && h("span", { class: "topic" }, channel.topic)),
    h("div", { class: "side" },
      isApp(channel) && [tab("home", "Home"), tab("messages", "Messages"), h("button", { class: "button", onclick: chat }, "New chat")],
      !channel.joined && h("button", { class: "button primary", onclick: join }, "Join channel"),
      channel.name && !channel.has_bot && channel.joined && h("button", { class: "button", onclick: invite }, `Add @${world.bot.name}`),
      channel.name && h("span", { class: "faces", title: channel.members.map((u) => world.users[u].real_name).join(", ") }, channel.members.slice(0, 3).map((u) => avatar(world.users[u], false)), h("span", {}, channel.members.length))),
  ];
}

function isAtEnd() {
  const pane = at("messages");
  return "stick" in pane.dataset || pane.scrollHeight - pane.scrollTop - pane.clientHeight < 80;
}

function drawMessages(channel, atHome, stick) {
  const pane = at("messages");
  delete pane.dataset.stick;
  const roots = world.messages[channel.id].filter((m) => !m.thread_ts || m.thread_ts === m.ts || m.broadcast);
  const shown = roots.filter((m) => m.subtype !== "assistant_app_thread" || m.reply_count).map(named);
  const top = pane.scrollTop;
  pane.replaceChildren(...(atHome ? [home(world)] : [h("div", { class: "pad" }), intro(channel), ...messageList(shown, world, { openThread })]));
  pane.scrollTop = stick && !atHome ? pane.scrollHeight : top;
  const goal = open.goal && document.getElementById(`m${open.goal}`);
  if (goal) {
    goal.scrollIntoView({ block: "center" });
    goal.classList.add("goal");
  }
}

// The hidden root of a chat with the app stands under its title.
function named(message) {
  if (message.subtype !== "assistant_app_thread") return message;
  const info = world.threads.find((t) => t.channel === message.channel && t.thread_ts === message.ts);
  return { ...message, text: info?.title || "New chat" };
}

function intro(channel) {
  const what = channel.name ? `This is the very beginning of ${title(channel)}.` : `This is between you and ${title(channel)}.`;
  return h("div", { class: "intro" }, h("b", {}, title(channel)), h("p", {}, what));
}

function drawThread(channel) {
  const panel = at("thread");
  const root = open.thread && world.messages[channel.id]?.find((m) => m.ts === open.thread);
  panel.hidden = !root;
  if (!root) return void panel.replaceChildren();
  const info = world.threads.find((t) => t.channel === channel.id && t.thread_ts === root.ts);
  const replies = world.messages[channel.id].filter((m) => m.thread_ts === root.ts && m.ts !== root.ts);
  if (panel.dataset.ts !== root.ts || !panel.firstChild) {
    panel.dataset.ts = root.ts;
    const place = () => ({ world, channel: channel.id, thread_ts: root.ts });
    panel.replaceChildren(h("header"), h("div", { class: "thread-list" }), composer(place, "Reply …"));
  }
  const list = panel.querySelector(".thread-list");
  const stick = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  panel.firstChild.replaceChildren(h("div", {}, h("b", {}, info?.title || (root.subtype === "assistant_app_thread" ? "New chat" : "Thread")), h("small", {}, title(channel))),
    h("button", { class: "plain-button", title: "Close", onclick: () => openThread(null) }, icon("close")));
  const isChat = root.subtype === "assistant_app_thread";
  list.replaceChildren(
    ...(isChat ? [] : messageList([root], world, { inThread: true })),
    ...(isChat ? [] : [h("div", { class: "count" }, countText(replies.filter((m) => !m.visible_to).length))]),
    ...messageList(replies, world, { inThread: true }), ...prompts(info, replies));
  if (stick) list.scrollTop = list.scrollHeight;
}

function countText(n) {
  return n === 1 ? "1 reply" : `${n} replies`;
}

function prompts(info, replies) {
  if (!info) return [];
  const say = (text) => act("message", { user: world.me, channel: info.channel, thread_ts: info.thread_ts, text });
  const untouched = !replies.some((m) => m.user === world.me);
  return [
    info.status && h("div", { class: "status" }, avatar(world.users[world.bot.user_id], false), `${world.bot.name} ${info.status}`),
    untouched && info.prompts.length > 0 && h("div", { class: "prompts" }, h("b", {}, info.prompts_title || "Try one of these"), info.prompts.map((p) => h("button", { onclick: () => say(p.message) }, p.title))),
  ].filter(Boolean);
}

start();
