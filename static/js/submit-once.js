// One press, one POST. The button is disabled only after the browser has read the form,
// else its name and value would be left out of what is sent.
function guard(event) {
  const form = event.target;
  if (form.method !== "post" || "many" in form.dataset) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  if (event.defaultPrevented) return;
  form.dataset.sent = "yes";
  setTimeout(() => toggle(form, true));
}

function toggle(form, sent) {
  if (!sent) delete form.dataset.sent;
  for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = sent;
}

document.addEventListener("submit", guard);
// Back from the browser's page cache: the form may be sent again.
window.addEventListener("pageshow", (event) => event.persisted && document.querySelectorAll("form[data-sent]").forEach((form) => toggle(form, false)));
