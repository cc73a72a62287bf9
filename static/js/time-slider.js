// The slider of earlier moments: says which moment the handle stands at, and shows it when it is let go.
function shown(form) {
  const range = form.querySelector("input[type=range]");
  const moment = form.querySelector(`option[value="${range.value}"]`);
  return { range, text: moment ? moment.label : "" };
}

function follow(event) {
  const form = event.target.closest?.("[data-time-slider]");
  if (!form) return;
  const { range, text } = shown(form);
  form.querySelector("output").textContent = text;
  range.setAttribute("aria-valuetext", text);
}

document.addEventListener("input", follow);
for (const form of document.querySelectorAll("[data-time-slider]")) {
  const { range, text } = shown(form);
  range.setAttribute("aria-valuetext", text);
  // A pointer that is let go shows the moment at once; by keyboard one goes on with the arrows, and Enter shows it.
  range.addEventListener("pointerup", () => setTimeout(() => form.requestSubmit()));
}
