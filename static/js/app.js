// What every page gains from JavaScript. Each module stands alone; without any the pages still work.
import "./error-summary.js";
import "./keyboard.js";
import "./nrs.js";
import "./submit-once.js";
import "./time-slider.js";
