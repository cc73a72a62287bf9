// The error summary takes the focus, so that it is read out and its links are one key away.
function focusSummary(root) {
  root.querySelector("[data-error-summary]")?.focus();
}

// A link into a radio group or a closed <details> must land on something that can take focus.
function followLink(event) {
  const link = event.target.closest("[data-error-summary] a");
  const target = link && document.getElementById(link.hash.slice(1));
  if (!target) return;
  event.preventDefault();
  target.closest("details")?.setAttribute("open", "");
  target.scrollIntoView({ block: "center" });
  target.focus({ preventScroll: true });
}

focusSummary(document);
document.addEventListener("htmx:afterSettle", (event) => focusSummary(event.target));
document.addEventListener("click", followLink);
