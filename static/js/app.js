// What every page gains from JavaScript. Each module stands alone; without any the pages still work.
import "./autosave.js";
import "./error-summary.js";
import "./keyboard.js";
import "./lock.js";
import "./nrs.js";
import "./select-all.js";
import "./side-panel.js";
import "./submit-once.js";
import "./time-slider.js";
import "./verify.js";
