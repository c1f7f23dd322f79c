// Codes of languages as people call them: the browser knows their names, in the page's language.

const names = new Intl.DisplayNames(["en"], { type: "language", fallback: "code" });

/**
 * "en" → "English", "xx" → "many languages"; a code that the browser does not know stays what it is.
 * @param {string} code
 * @returns {string}
 */
export function languageName(code) {
  if (code === "xx") return "many languages";
  try {
    return names.of(code) ?? code;
  } catch {
    return code;
  }
}

document.querySelectorAll("[data-language]").forEach((element) => {
  if (!(element instanceof HTMLElement)) return;
  const code = element.dataset.language ?? "";
  element.textContent = languageName(code);
  if (element.textContent !== code) element.title = code;
});
