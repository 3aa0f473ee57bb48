// The two things that need a script: ticking a task saves it, choosing a person switches at once.
document.addEventListener("change", async (event) => {
  const box = event.target;
  if (box.matches("[data-autosubmit]")) return box.form.submit();
  if (!box.matches("input[data-task]")) return;
  const page = box.closest("[data-page]").dataset.page;
  const answer = await fetch(`/tick/${page}/${encodeURIComponent(box.dataset.task)}?done=${box.checked}`, { method: "POST" });
  if (!answer.ok) { box.checked = !box.checked; return; }
  box.closest("li").classList.toggle("checked", box.checked);
  document.getElementById("version").textContent = `version ${(await answer.json()).version}`;
});
