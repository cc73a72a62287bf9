// Light, dark or as the system says. The choice stays in this browser and decides the media of dark.css.
const KEY = "pallsoft-theme";
const MEDIA = { light: "not all", dark: "screen", auto: "screen and (prefers-color-scheme: dark)" };

function chosen() {
  try {
    return localStorage.getItem(KEY) in MEDIA ? localStorage.getItem(KEY) : "auto";
  } catch {
    return "auto"; // storage may be forbidden; the system's choice then holds
  }
}

function apply(theme) {
  document.documentElement.dataset.theme = theme;
  document.querySelector("link[data-dark]").media = MEDIA[theme];
  for (const button of document.querySelectorAll("[data-theme-value]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeValue === theme));
  }
}

function choose(event) {
  const theme = event.target.closest("[data-theme-value]")?.dataset.themeValue;
  if (!theme) return;
  try {
    localStorage.setItem(KEY, theme);
  } finally {
    apply(theme);
  }
}

apply(chosen());
document.addEventListener("click", choose);
document.addEventListener("DOMContentLoaded", () => {
  apply(chosen());
  for (const group of document.querySelectorAll("[data-theme-switch]")) group.hidden = false;
});
