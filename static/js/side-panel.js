// A panel beside the page (threads of queries). The page under it is never touched: what is typed there stays.
// Nothing typed in the panel goes by itself either: Escape closes it only while nothing is written.
let opener = null;

const panel = () => document.getElementById("side-panel");

function remember(event) {
  if (event.detail.target !== panel() || panel().contains(event.detail.elt)) return;
  opener = event.detail.elt;
}

// A draft of an answer is not thrown away by opening another thread.
function keepWritten(event) {
  if (event.detail.target !== panel() || panel().contains(event.detail.elt) || !isWritten()) return;
  event.preventDefault();
  [...panel().querySelectorAll("textarea")].find((field) => field.value !== field.defaultValue)?.focus();
}

function isWritten() {
  return [...panel().querySelectorAll("textarea")].some((field) => field.value !== field.defaultValue);
}

function show(event) {
  if (event.target !== panel() && event.detail?.target !== panel()) return;
  document.querySelectorAll("[data-panel-open]").forEach((one) => one.removeAttribute("data-panel-open"));
  opener?.closest(".query-row, .item")?.setAttribute("data-panel-open", "");
  if (!panel().querySelector("[data-error-summary]")) panel().querySelector("[data-panel-title]")?.focus();
}

function close() {
  document.querySelectorAll("[data-panel-open]").forEach((one) => one.removeAttribute("data-panel-open"));
  panel().replaceChildren();
  (opener?.isConnected ? opener : document.getElementById("content"))?.focus();
}

function onClick(event) {
  if (!panel()?.contains(event.target)) return;
  if (event.target.closest("[data-close-panel]")) {
    event.preventDefault();
    close();
    return;
  }
  const link = event.target.closest("[data-go-to-item]");
  const item = link && link.pathname === location.pathname && document.getElementById(link.hash.slice(1));
  if (!item) return;
  event.preventDefault();
  item.scrollIntoView({ block: "center" });
  item.querySelector("input, select, textarea, a")?.focus({ preventScroll: true });
}

function onKey(event) {
  if (event.key === "Escape" && panel()?.contains(event.target) && !isWritten()) close();
}

document.addEventListener("htmx:beforeRequest", keepWritten);
document.addEventListener("htmx:beforeRequest", remember);
document.addEventListener("htmx:afterSettle", show);
document.addEventListener("click", onClick);
document.addEventListener("keydown", onKey);
