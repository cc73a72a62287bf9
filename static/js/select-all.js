// One box that ticks all of its list. Without JavaScript the box is not there, and each is ticked by itself.
for (const all of document.querySelectorAll("[data-select-all]")) {
  all.hidden = false;
  const boxes = () => all.closest("section").querySelectorAll("input[name=form]");
  all.addEventListener("change", (event) => boxes().forEach((box) => { box.checked = event.target.checked; }));
}
