// The search by keys: "/" goes to the field, arrows move through the models, Enter opens, Escape empties the field.

const WRITTEN = "input:not([type=checkbox]), textarea, select";

/**
 * @param {HTMLInputElement} field
 * @param {{links: () => HTMLAnchorElement[]}} results
 * @param {() => void} empty called to ask for nothing
 */
export function moveByKeys(field, results, empty) {
  document.addEventListener("keydown", (event) => {
    const writing = event.target instanceof HTMLElement && event.target.closest(WRITTEN);
    if (event.key !== "/" || writing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    field.focus();
    field.select();
  });
  field.form?.addEventListener("submit", (event) => {
    event.preventDefault();
    results.links()[0]?.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.activeElement === field && field.value) {
      event.preventDefault();
      empty();
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    const stops = [field, ...results.links()];
    const at = stops.indexOf(/** @type {HTMLAnchorElement} */ (document.activeElement));
    if (at < 0 || !stops[at + step]) return;
    event.preventDefault();
    stops[at + step].focus();
  });
}
