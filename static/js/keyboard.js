// The keys of a form (the card "Keys" names them): Ctrl+S saves, Ctrl+Enter saves and goes on, Enter moves on, a digit or
// first letter chooses an answer, F2 says why it is missing. Single keys of a page (?, U, N, G) can be switched off.
const FIELDS = "input:not([type=hidden]):not([disabled]), select:not([disabled]), textarea:not([disabled]), button:not([disabled])";
const OFF = "pallsoft-single-keys";
const TYPING = "input:not([type=radio], [type=checkbox]), select, textarea, dialog *";

function save(event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
  const onward = event.key === "Enter";
  if (!onward && event.key.toLowerCase() !== "s") return;
  const form = document.querySelector("form[data-save]");
  const button = form?.querySelector(onward ? "button[name=go]" : "button[type=submit]");
  if (!button) return;
  event.preventDefault();
  form.requestSubmit(button);
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

// A code or the first letter of an answer chooses it; once more, the next one that begins so. Scales: nrs.js.
function choose(event) {
  const group = event.target.closest?.("[data-enter-moves-on] .choices[role=radiogroup]");
  if (!group || event.key.length !== 1 || event.key === " " || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.toLocaleLowerCase();
  const fits = [...group.querySelectorAll("input")].filter((radio) =>
    radio.value === event.key || radio.parentElement.textContent.trim().toLocaleLowerCase().startsWith(key));
  if (!fits.length) return;
  event.preventDefault();
  const next = fits[(fits.findIndex((radio) => radio.checked) + 1) % fits.length];
  next.click();
  next.focus();
}

// F2: the next reason why this answer is missing. What is typed already is never taken away by it.
function sayMissing(event) {
  if (event.key !== "F2") return;
  const item = event.target.closest?.(".item");
  const missing = item?.querySelector(".item-missing");
  if (!missing) return;
  event.preventDefault();
  if (missing.tagName === "DETAILS") missing.open = true;
  const list = missing.querySelector("select");
  if (!list) return nextPill(missing);
  const typed = item.querySelector(".item-body :is(input[type=text], textarea, select:not([name$='-missing']))");
  if (typed?.value) return list.focus();
  list.selectedIndex = (list.selectedIndex + 1) % list.options.length;
  list.dispatchEvent(new Event("change", { bubbles: true }));
}

function nextPill(missing) {
  const pills = [...missing.querySelectorAll("input[value^='missing:']")];
  const next = pills[(pills.findIndex((pill) => pill.checked) + 1) % pills.length];
  next.click();
  next.focus();
}

function areOff() {
  try {
    return localStorage.getItem(OFF) === "off";
  } catch {
    return false;
  }
}

function pressSingle(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.(TYPING) || areOff()) return;
  const key = event.key.toLowerCase();
  const inGroup = event.target.closest?.("[role=radiogroup]");
  const wanted = /^[a-z?]$/.test(key) && !(inGroup && key !== "?") && document.querySelector(`[data-key="${key}"]`);
  if (!wanted || document.body.classList.contains("screen-locked")) return;
  event.preventDefault();
  wanted.click();
  if (wanted.matches("summary")) wanted.focus();
}

// The card of keys closes by Escape, and holds the switch of the single keys.
function watchCard(card) {
  card.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    card.open = false;
    card.querySelector("summary").focus();
  });
  const box = card.querySelector("[data-single-keys]");
  box.closest("[hidden]").hidden = false;
  box.checked = !areOff();
  box.addEventListener("change", () => localStorage.setItem(OFF, box.checked ? "on" : "off"));
}

document.addEventListener("keydown", save);
document.addEventListener("keydown", moveOn);
document.addEventListener("keydown", choose);
document.addEventListener("keydown", sayMissing);
document.addEventListener("keydown", pressSingle);
for (const card of document.querySelectorAll("[data-keys]")) watchCard(card);
