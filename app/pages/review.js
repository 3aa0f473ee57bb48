// The minutes beside the sound: a line plays its second; who may review edits, approves or discards here.
{
const box = document.getElementById("minutes"), said = document.getElementById("said");
const on = (id, work) => document.getElementById(id)?.addEventListener("click", work);
const call = async (method, path, body) => {
  const reply = await fetch(box.dataset.url + path, {
    method, body: body && JSON.stringify(body),
    headers: {"Content-Type": "application/json", "X-IMP-Form": box.dataset.form},
  }).catch(() => null);
  if (reply?.ok) return "";
  const detail = (await reply?.json().catch(() => null))?.detail ?? "the server does not answer; please try again";
  return typeof detail === "string" ? detail : detail.map(one => one.msg).join("; ");
};
const complain = text => { said.textContent = text && text[0].toUpperCase() + text.slice(1) + "."; if (text) said.scrollIntoView({block: "nearest"}); };
const change = async (button, ...asked) => {
  button.disabled = true;
  const wrong = await call(...asked);
  button.disabled = false;
  if (!wrong) { leaving = true; location.reload(); }
  return wrong;
};
let leaving = false;

const listen = second => {  // and what is said there beside it, without moving the page
  play(second);
  const list = document.getElementById("transcript"), now = list.querySelector(".now");
  if (now) list.scrollTop = now.offsetTop - list.clientHeight / 3;
};
const hear = row => { if (row?.dataset.start && !box.classList.contains("editing")) listen(Number(row.dataset.start)); };
box.addEventListener("click", event => {
  const row = event.target.closest(".line");
  if (event.target.closest(".away")) row.remove();
  else if (event.target.closest(".at")) row.dataset.start && listen(Number(row.dataset.start));
  else if (event.target.closest(".more")) {
    const more = event.target.closest(".more");
    more.before(more.nextElementSibling.content.cloneNode(true));
    more.previousElementSibling.querySelector("textarea").focus();
  } else if (!getSelection().toString()) hear(row);
});
heardAt.push(second => box.querySelectorAll(".line[data-spans]").forEach(row => row.classList.toggle("now",
  JSON.parse(row.dataset.spans).some(([from, to]) => from <= second + .01 && second < to))));

const lines = () => [...box.querySelectorAll(".part .line")].map(row => {
  const field = name => row.querySelector(`[data-name=${name}]`)?.value.trim() || null;
  const number = row.dataset.number;
  const owner = field("owner") ?? null, due = field("due");
  return {section: row.dataset.section, text: field("text") ?? "", before: number === undefined ? null : Number(number), owner, due};
}).filter(line => line.text);
let before = "";
on("edit", () => { box.classList.add("editing"); before = JSON.stringify(lines()); box.querySelector("textarea")?.focus({preventScroll: true}); });
on("cancel", () => { leaving = true; location.reload(); });
on("save", async event => {
  if (JSON.stringify(lines()) === before) { box.classList.remove("editing"); return; }
  complain(await change(event.currentTarget, "PUT", `/minutes/${box.dataset.id}/lines`, {lines: lines()}));
});
addEventListener("beforeunload", event => {
  if (!leaving && box.classList.contains("editing") && JSON.stringify(lines()) !== before) event.preventDefault();
});

const ask = (title, text, verb, path) => {
  const sure = document.getElementById("sure"), yes = sure.querySelector("[value=yes]");
  sure.querySelector("h2").textContent = title;
  sure.querySelector("p").textContent = text;
  yes.textContent = verb;
  yes.onclick = async () => { const wrong = await change(yes, "POST", `/minutes/${box.dataset.id}/${path}`); sure.close(); complain(wrong); };
  sure.showModal();
};
on("approve", () => ask("Approve these minutes?", "They are published in Confluence.", "Approve", "approve"));
on("discard", () => ask("Discard these minutes?", "The draft is kept, but not published.", "Discard", "discard"));

const naming = document.getElementById("naming");
on("speakers", () => naming.showModal());
naming?.querySelector("[value=yes]").addEventListener("click", async event => {
  const names = Object.fromEntries([...naming.querySelectorAll("input")]
    .filter(one => one.value.trim() && one.value.trim() !== one.dataset.old).map(one => [one.dataset.old, one.value.trim()]));
  if (!Object.keys(names).length) { naming.close(); return; }
  const wrong = await change(event.currentTarget, "PUT", "/speakers", {names}), note = naming.querySelector(".note");
  note.textContent = wrong;
  note.hidden = !wrong;
});
document.querySelectorAll("dialog [value=no]").forEach(button => button.addEventListener("click", () => button.closest("dialog").close()));
}
