// Light or dark, as the visitor's system says or as they chose here. This is no module: modules run after the first
// paint, and the page would flash in the other colours.
(() => {
  "use strict";
  const KEY = "wellread.theme";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");

  /** The visitor's choice, "light" or "dark", or null where there is none or storage is forbidden. */
  function chosen() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  }

  function keep(theme) {
    try {
      if (theme) localStorage.setItem(KEY, theme);
      else localStorage.removeItem(KEY);
    } catch {
      // It then holds for this page only.
    }
  }

  function show(theme) {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
  }

  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);

  function offer(button) {
    const tell = () => button.setAttribute("aria-pressed", String(isDark()));
    button.addEventListener("click", () => {
      const wanted = isDark() ? "light" : "dark";
      // Who chooses what the system says goes with the system again.
      const theme = (wanted === "dark") === system.matches ? null : wanted;
      show(theme);
      keep(theme);
      tell();
    });
    system.addEventListener("change", tell);
    tell();
  }

  if ("noModule" in HTMLScriptElement.prototype) root.classList.add("js");
  show(chosen());
  document.addEventListener("DOMContentLoaded", () => offer(document.getElementById("theme")));
})();
