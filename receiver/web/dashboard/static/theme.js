// Says light or dark before the first paint, as the browser prefers, and follows it.
"use strict";

const preference = window.matchMedia("(prefers-color-scheme: dark)");
const follow = () => {
  document.documentElement.dataset.bsTheme = preference.matches ? "dark" : "light";
};
preference.addEventListener("change", follow);
follow();
