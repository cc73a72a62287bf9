// An unattended screen locks after the idle time that the server names. The page stays, hidden, until the password comes.
const dialog = document.querySelector("#screen-lock");
const ACTS = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart", "input"];
const ALIVE = 60_000; // how often the server hears that somebody sits here
let seen = Date.now();
let told = Date.now();
let title = "";

function isLocked() {
  return document.body.classList.contains("screen-locked");
}

function post(url, fields) {
  const token = dialog.querySelector("[name=csrfmiddlewaretoken]").value;
  const body = new URLSearchParams({ ...fields, csrfmiddlewaretoken: token });
  return fetch(url, { method: "POST", body, redirect: "manual", keepalive: true });
}

function ask(act) {
  return post(dialog.dataset.url, { act }).catch(() => null);
}

function lock(channel) {
  if (isLocked()) return;
  title = document.title;
  document.title = `${dialog.dataset.title} · PALLSOFT`;
  document.body.classList.add("screen-locked");
  dialog.showModal();
  channel?.postMessage("lock");
  ask("lock");
}

function unlock(channel) {
  if (!isLocked()) return;
  document.body.classList.remove("screen-locked");
  document.title = title;
  say("");
  dialog.querySelector("[name=password]").value = "";
  dialog.close();
  seen = told = Date.now();
  channel?.postMessage("unlock");
}

function say(text, ended = false) {
  dialog.querySelector("#screen-lock-said").textContent = text;
  dialog.querySelector("[data-sign-in]").hidden = !ended;
}

// The server's word counts: the password was right only when it says that the session is open, and whose it is.
async function tryPassword(event, channel) {
  event.preventDefault();
  const field = dialog.querySelector("[name=password]");
  try {
    const answer = await post(event.target.action, { password: field.value });
    if (answer.status === 429) return say(dialog.dataset.slow);
    if (answer.type === "opaqueredirect") {
      const now = await post(dialog.dataset.url, { act: "here" });
      if (now.status === 200 && (await now.text()) === dialog.dataset.user) return unlock(channel);
      return say(dialog.dataset.ended, true);
    }
    if (answer.status === 403) return say(dialog.dataset.ended, true);
    say(dialog.dataset.wrong);
    field.select();
  } catch {
    say(dialog.dataset.away);
  }
}

function noteActivity(channel) {
  const now = Date.now();
  if (isLocked()) return;
  if (now - seen > Number(dialog.dataset.idle) * 1000) return lock(channel); // the computer slept meanwhile
  seen = now;
  if (now - told < ALIVE) return;
  told = now;
  channel?.postMessage("active");
  ask("here").then((answer) => answer?.status === 423 && lock(channel));
}

function watch() {
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("pallsoft-screen") : null;
  const look = () => Date.now() - seen > Number(dialog.dataset.idle) * 1000 && lock(channel);
  for (const act of ACTS) document.addEventListener(act, () => noteActivity(channel), { passive: true, capture: true });
  document.addEventListener("visibilitychange", look);
  setInterval(look, 5_000);
  dialog.querySelector("form").addEventListener("submit", (event) => tryPassword(event, channel));
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.addEventListener("close", () => isLocked() && dialog.showModal());
  channel?.addEventListener("message", ({ data }) => {
    if (data === "active") seen = told = Date.now();
    if (data === "lock") lock(null);
    if (data === "unlock") ask("here").then((answer) => answer?.status === 200 && unlock(null));
  });
}

if (dialog) watch();
