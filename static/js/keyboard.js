// Ctrl+S (or Cmd+S) presses the form's save button; Enter in a field moves on instead of submitting.
const FIELDS = "input:not([type=hidden]):not([disabled]), select:not([disabled]), textarea:not([disabled]), button:not([disabled])";

function save(event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.key.toLowerCase() !== "s") return;
  const form = document.querySelector("form[data-save]");
  if (!form) return;
  event.preventDefault();
  form.requestSubmit(form.querySelector("button[type=submit]"));
}

// A radio group is one stop: its checked radio, or its first.
function isStop(field) {
  if (!field.checkVisibility() || field.tabIndex < 0) return false;
  if (field.type !== "radio") return true;
  const group = [...field.form.elements].filter((other) => other.type === "radio" && other.name === field.name);
  return field === (group.find((radio) => radio.checked) ?? group[0]);
}

function moveOn(event) {
  const field = event.target;
  if (event.key !== "Enter" || event.isComposing || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (!field.matches("[data-enter-moves-on] input, [data-enter-moves-on] select")) return;
  event.preventDefault();
  const fields = [...field.form.querySelectorAll(FIELDS)];
  const next = fields.slice(fields.indexOf(field) + 1).find((other) => other.name !== field.name && isStop(other));
  next?.focus();
}

document.addEventListener("keydown", save);
document.addEventListener("keydown", moveOn);
