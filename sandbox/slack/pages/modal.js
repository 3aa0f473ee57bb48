// Draws the topmost modal and the home tab; redraws only when the view changed, so typing is not lost.
import { blocks } from "./blocks.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { act } from "./server.js";

let drawn = "";

export function modal(world, root) {
  const view = world.modals.at(-1);
  const key = view ? `${world.me}:${view.id}:${view.hash}:${JSON.stringify(view.errors)}` : "";
  if (key === drawn) return;
  drawn = key;
  root.hidden = !view;
  root.replaceChildren(...(view ? [dialog(view, world)] : []));
  root.querySelector("input:not([type=checkbox]), textarea")?.focus();
}

function surfaceOf(view, world) {
  const at = { user: world.me, view_id: view.id };
  return {
    world,
    held: view.state.values,
    errors: view.errors,
    values: {},
    click: (element, block, value) => act("click", { ...at, action_id: element.action_id, block_id: block.block_id, value }),
    suggest: (element, value) => act("suggest", { ...at, action_id: element.action_id, value }),
  };
}

function dialog(view, world) {
  const surface = surfaceOf(view, world);
  const at = { user: world.me, view_id: view.id };
  const close = () => act("close_view", at);
  const submit = async (event) => {
    event.preventDefault();
    const node = event.target.querySelector(".primary");
    node?.classList.add("busy");
    await act("submit_view", { ...at, values: surface.values });
    node?.classList.remove("busy");
  };
  return h("form", { class: "dialog", role: "dialog", "aria-label": view.title.text, onsubmit: submit, novalidate: true },
    h("header", {}, h("b", {}, view.title.text), h("button", { type: "button", class: "plain-button", title: "Close", onclick: close }, icon("close"))),
    h("div", { class: "dialog-body" }, view.errors[""] && h("p", { class: "problem" }, view.errors[""]), blocks(view.blocks, surface)),
    h("footer", {}, h("button", { type: "button", class: "button", onclick: close }, view.close?.text ?? "Cancel"),
      view.submit && h("button", { class: "button primary" }, view.submit.text)));
}

export function home(world) {
  if (!world.home) return h("div", { class: "empty" }, h("b", {}, "Nothing here yet"), h("p", {}, "The app has not published its home tab for you."));
  return h("div", { class: "home" }, blocks(world.home.blocks, surfaceOf(world.home, world)));
}
