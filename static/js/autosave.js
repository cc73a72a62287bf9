// What is typed goes to the server at once, as a draft: not data until the form is saved (crf/services/drafts.py).
// Only fields that were touched are sent, each with its age, so that of two tabs the text typed last stays.
const form = document.querySelector("form[data-draft]");
const PAUSE = 800; // after the last letter
const SLOW = 500; // "Keeping …" is said only of what takes longer
const LONGEST_WAIT = 30_000;
const LARGEST = 60_000; // bytes that a browser sends from a page that is being closed
const FIELD = "input:not([type=hidden], [type=submit], [type=checkbox]), select, textarea";

const line = form?.querySelector("[data-autosave]");
const known = new Map(); // field name → what the server has, or was asked to keep
const waiting = new Map(); // field name → {text, at}
let timer = 0;
let failures = 0;
let underway = null;

function isDrafted(field) {
  return field.matches(FIELD) && field.name && !field.name.startsWith("keep-");
}

function textOf(name) {
  const fields = [...form.elements].filter((field) => field.name === name && isDrafted(field));
  if (fields[0]?.type !== "radio") return fields[0]?.value ?? "";
  return fields.find((radio) => radio.checked)?.value ?? "";
}

function hidden(name) {
  return form.querySelector(`input[type=hidden][name=${name}]`).value;
}

function names() {
  return new Set([...form.elements].filter(isDrafted).map((field) => field.name));
}

function say(state, more = "") {
  const text = line.dataset[state].replace("{time}", more);
  const whole = state === "refused" ? `${text} ${more}` : text;
  line.dataset.state = state;
  const shown = line.querySelector("[data-autosave-text]");
  if (shown.textContent !== whole) shown.textContent = whole;
  line.querySelector("[data-autosave-again]").hidden = state !== "failed";
  line.querySelector("[data-autosave-sign-in]").hidden = state !== "away";
}

function note(name, pause) {
  const text = textOf(name);
  if (known.get(name) === text) return;
  known.set(name, text);
  waiting.set(name, { text, at: Date.now() });
  plan(pause);
}

function plan(pause) {
  clearTimeout(timer);
  timer = setTimeout(send, pause);
}

function message(batch) {
  const fields = Object.fromEntries([...batch].map(([name, one]) => [name, [one.text, Date.now() - one.at]]));
  return JSON.stringify({ fields, tab: hidden("tab"), key: hidden("key"), seen: hidden("seen_version") });
}

function post(body) {
  return fetch(form.dataset.draft, {
    method: "POST",
    body,
    headers: { "Content-Type": "application/json", "X-CSRFToken": hidden("csrfmiddlewaretoken") },
    redirect: "manual",
    keepalive: body.length < LARGEST,
  });
}

function done(batch) {
  for (const [name, one] of batch) if (waiting.get(name) === one) waiting.delete(name);
}

async function send() {
  clearTimeout(timer);
  if (underway || !waiting.size) return;
  const batch = new Map(waiting);
  const slow = setTimeout(() => say("keeping"), SLOW);
  underway = post(message(batch));
  try {
    await heard(await underway, batch);
  } catch {
    failed();
  } finally {
    clearTimeout(slow);
    underway = null;
  }
  if (waiting.size && !failures && line.dataset.state === "kept") plan(PAUSE);
}

async function heard(answer, batch) {
  if (answer.type === "opaqueredirect") return say("away");
  if (answer.status === 403) return renewed().then((again) => (again ? plan(0) : say("away")));
  if (answer.status >= 500 || answer.status === 429) return failed();
  const said = await answer.json();
  failures = 0;
  if (!answer.ok) return say("refused", said.message);
  done(batch);
  say("kept", said.at);
}

function failed() {
  failures += 1;
  say("failed");
  plan(Math.min(LONGEST_WAIT, 1_000 * 2 ** Math.min(failures, 5)));
}

// Signed in again meanwhile, in another tab: the page needs a token of the new session, if it is the same person's.
async function renewed() {
  const answer = await fetch(form.dataset.draft, { redirect: "manual", headers: { Accept: "application/json" } });
  if (!answer.ok) return false;
  const { token, user } = await answer.json();
  if (user !== document.querySelector("#screen-lock").dataset.user) return false;
  for (const field of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) field.value = token;
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
  return true;
}

async function back() {
  if (line.dataset.state === "away" && (await renewed().catch(() => false))) plan(0);
  if (line.dataset.state === "failed") plan(0);
}

// The page may be closed, or its process ended, without another word.
function flush() {
  if (waiting.size && !underway) {
    const batch = new Map(waiting);
    post(message(batch)).then((answer) => answer.ok && done(batch)).catch(() => {});
  }
}

function watch() {
  for (const name of names()) known.set(name, "copied" in form.dataset ? "" : textOf(name));
  say("idle");
  form.addEventListener("input", (event) => isDrafted(event.target) && note(event.target.name, PAUSE));
  form.addEventListener("change", (event) => isDrafted(event.target) && note(event.target.name, 0));
  form.addEventListener("submit", beforeSaving);
  document.addEventListener("visibilitychange", () => (document.visibilityState === "hidden" ? flush() : back()));
  window.addEventListener("pagehide", flush);
  window.addEventListener("focus", back);
  window.addEventListener("online", back);
  window.addEventListener("beforeunload", (event) => line.dataset.state === "failed" && waiting.size && !form.dataset.sent && event.preventDefault());
  line.querySelector("[data-autosave-again]").addEventListener("click", () => plan(0));
  if ("copied" in form.dataset) for (const name of names()) note(name, 0);
}

// Without a network the save would end on an error page of the browser: the texts stay here instead.
function beforeSaving(event) {
  if (navigator.onLine) return flush();
  event.preventDefault();
  failed();
}

if (form) watch();
