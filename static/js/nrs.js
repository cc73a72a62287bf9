// Digits answer a numeric rating scale: 7 gives 7; 1 and 0 on the same scale within half a second give 10.
const PAUSE = 500;
let one = { scale: null, at: 0 };

function scoreOf(key, scale, at) {
  return key === "0" && one.scale === scale && at - one.at < PAUSE ? "10" : key;
}

function answer(event) {
  const scale = event.target.closest?.("[data-nrs]");
  if (!scale || !/^\d$/.test(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const box = scale.querySelector(`input[value="${scoreOf(event.key, scale, event.timeStamp)}"]`);
  one = { scale: event.key === "1" ? scale : null, at: event.timeStamp };
  box.click();
  box.focus();
}

document.addEventListener("keydown", answer);
