// Draws the left column: who you are, channels, direct messages, the app.
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { avatar } from "./messages.js";
import { act } from "./server.js";

// `view`: { channel, unread: Set, everyone, openChannel(id), become(id) }
export function sidebar(world, view) {
  const rooms = world.channels.filter((c) => c.kind === "channel" || c.kind === "group").sort((a, b) => a.name.localeCompare(b.name));
  const joined = rooms.filter((c) => c.joined);
  const others = rooms.filter((c) => !c.joined);
  const humans = Object.values(world.users).filter((u) => !u.is_bot && u.id !== "USLACKBOT" && u.id !== world.me);
  const bot = world.users[world.bot.user_id];
  const direct = async (user) => view.openChannel((await act("direct", { user: world.me, with: user.name })).channel);
  const dm = (user) => world.channels.find((c) => c.kind === "im" && c.members.includes(user.id) && c.members.includes(world.me));
  return [
    h("div", { class: "team" }, h("span", { class: "logo" }, world.team.name.slice(0, 1)), h("b", {}, world.team.name)),
    h("label", { class: "me" }, avatar(world.users[world.me]), h("span", {}, h("small", {}, "You are"),
      h("select", { onchange: (e) => view.become(e.target.value), "aria-label": "Who you are" }, view.everyone.map((p) =>
        h("option", { value: p.id, selected: p.id === world.me }, p.real_name + (p.is_guest ? " (guest)" : p.is_external ? " (external)" : "")))))),
    h("nav", {},
      h("h2", {}, "Channels"), joined.map((c) => room(c, view)),
      others.length > 0 && h("h2", {}, "More channels"), others.map((c) => room(c, view)),
      h("h2", {}, "Apps"), person(bot, dm(bot), view, () => direct(bot)),
      h("h2", {}, "Direct messages"), humans.map((u) => person(u, dm(u), view, () => direct(u)))),
  ];
}

function room(channel, view) {
  const state = [channel.id === view.channel && "here", view.unread.has(channel.id) && "unread", !channel.joined && "out"];
  return h("button", { class: `room ${state.filter(Boolean).join(" ")}`, onclick: () => view.openChannel(channel.id) },
    h("span", { class: "mark" }, channel.kind === "group" ? icon("lock", 14) : "#"), h("span", { class: "name" }, channel.name),
    channel.is_shared && h("span", { class: "tag ext" }, "EXT"));
}

function person(user, channel, view, open) {
  const state = [channel && channel.id === view.channel && "here", channel && view.unread.has(channel.id) && "unread"];
  return h("button", { class: `room ${state.filter(Boolean).join(" ")}`, onclick: open }, avatar(user, false),
    h("span", { class: "name" }, user.real_name), user.is_bot && h("span", { class: "tag" }, "APP"));
}
