// Digits answer a numeric rating scale: 7 gives 7; 1 and 0 within half a second give 10.
const PAUSE = 500;
let one = 0;

function answer(event) {
  const scale = event.target.closest?.("[data-nrs]");
  if (!scale || !/^\d$/.test(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const score = event.key === "0" && event.timeStamp - one < PAUSE ? "10" : event.key;
  one = event.key === "1" ? event.timeStamp : -PAUSE;
  const box = scale.querySelector(`input[value="${score}"]`);
  box.click();
  box.focus();
}

document.addEventListener("keydown", answer);
