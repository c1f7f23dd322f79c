// Tabs out of sections that stand below each other where no script runs: <div class="tabs"> with <section><h3>…
// Pattern: https://www.w3.org/WAI/ARIA/apg/patterns/tabs/, with the tab that has the focus being shown.

const KEY = "wellread.tab";

/** The tab that was chosen last, on whichever page. */
function remembered() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** @param {string} title */
function remember(title) {
  try {
    localStorage.setItem(KEY, title);
  } catch {
    // It then holds for this page only.
  }
}

/**
 * @param {HTMLElement} panel
 * @returns {HTMLButtonElement}
 */
function tabOf(panel) {
  const tab = document.createElement("button");
  const heading = panel.querySelector("h3");
  tab.type = "button";
  tab.id = `${panel.id}-tab`;
  tab.textContent = heading?.textContent ?? "";
  tab.setAttribute("role", "tab");
  tab.setAttribute("aria-controls", panel.id);
  panel.setAttribute("role", "tabpanel");
  panel.setAttribute("aria-labelledby", tab.id);
  return tab;
}

/**
 * Make tabs of the sections of an element.
 * @param {HTMLElement} box
 */
export function makeTabs(box) {
  const panels = /** @type {HTMLElement[]} */ ([...box.children]);
  const tabs = panels.map(tabOf);
  const list = document.createElement("div");
  list.setAttribute("role", "tablist");
  list.setAttribute("aria-label", box.dataset.label ?? "");
  list.append(...tabs);

  /** @param {number} chosen */
  const show = (chosen) => {
    tabs.forEach((tab, at) => {
      tab.setAttribute("aria-selected", String(at === chosen));
      tab.tabIndex = at === chosen ? 0 : -1;
      panels[at].hidden = at !== chosen;
    });
  };
  /** @param {number} chosen */
  const choose = (chosen) => {
    show(chosen);
    tabs[chosen].focus();
    remember(tabs[chosen].textContent ?? "");
  };
  list.addEventListener("click", (event) => {
    const at = tabs.indexOf(/** @type {HTMLButtonElement} */ (event.target));
    if (at >= 0) choose(at);
  });
  list.addEventListener("keydown", (event) => {
    const at = tabs.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const last = tabs.length - 1;
    const ways = { ArrowLeft: at ? at - 1 : last, ArrowRight: at < last ? at + 1 : 0, Home: 0, End: last };
    const to = ways[/** @type {keyof typeof ways} */ (event.key)];
    if (to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    choose(to);
  });
  show(Math.max(0, tabs.findIndex((tab) => tab.textContent === remembered())));
  box.prepend(list);
  box.dataset.ready = "";
}

document.querySelectorAll(".tabs").forEach((box) => makeTabs(/** @type {HTMLElement} */ (box)));
