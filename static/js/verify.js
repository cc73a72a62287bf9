// The monitor's page: all answers of a form at one tick, and how many are ticked.
const form = document.querySelector("form[data-verify]");

function boxes(part) {
  return [...part.querySelectorAll("input[type=checkbox][name^=seen-]")];
}

function count() {
  const told = form.querySelector("[data-ticked]");
  const ticked = boxes(form).filter((box) => box.checked).length;
  told.textContent = ticked ? `${ticked} ${told.dataset.words}` : "";
  for (const all of form.querySelectorAll("[data-tick-all] input")) {
    const own = boxes(all.closest("section"));
    const on = own.filter((box) => box.checked).length;
    all.checked = own.length > 0 && on === own.length;
    all.indeterminate = on > 0 && on < own.length;
  }
}

function tickAll(event) {
  const all = event.target.closest("[data-tick-all]");
  if (!all) return;
  for (const box of boxes(all.closest("section"))) box.checked = event.target.checked;
}

if (form) {
  for (const all of form.querySelectorAll("[data-tick-all]")) all.hidden = boxes(all.closest("section")).length < 2;
  form.addEventListener("change", (event) => {
    tickAll(event);
    count();
  });
  count();
}
