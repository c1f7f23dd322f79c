// Copying: every element with data-copy="text" or data-copy-link="../a.zip", which copies the whole address, and every
// block of code, which gets a button of its own.

const LASTS = 2000; // milliseconds that a button says what it did

/**
 * Announce a word to those who do not see the page.
 * @param {string} text
 */
export function say(text) {
  const place = document.getElementById("said");
  if (!place) return;
  place.textContent = "";
  // A region that says the same twice is silent the second time, unless it was empty between.
  setTimeout(() => (place.textContent = text), 50);
}

/**
 * Put text on the clipboard.
 * @param {string} text
 * @returns {Promise<boolean>} whether it is there
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyOldWay(text); // Not served over https, or refused.
  }
}

/** @param {string} text */
function copyOldWay(text) {
  const active = document.activeElement;
  const area = document.createElement("textarea");
  area.className = "unseen";
  area.value = text;
  document.body.append(area);
  area.select();
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    area.remove();
    if (active instanceof HTMLElement) active.focus();
  }
}

/** @param {HTMLElement} button */
async function press(button) {
  const { copy, copyLink } = button.dataset;
  const copied = await copyText(copyLink === undefined ? (copy ?? "") : new URL(copyLink, document.baseURI).href);
  const word = copied ? "Copied" : "Not copied: the browser refuses";
  say(word);
  if (button.dataset.label === undefined) button.dataset.label = button.textContent ?? "";
  button.textContent = word;
  setTimeout(() => (button.textContent = button.dataset.label ?? ""), LASTS);
}

/** @param {HTMLPreElement} block */
function offer(block) {
  const box = document.createElement("div");
  const button = document.createElement("button");
  box.className = "code";
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.dataset.copy = (block.textContent ?? "").trimEnd();
  block.replaceWith(box);
  box.append(block, button);
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-copy], [data-copy-link]") : null;
  if (button instanceof HTMLElement) press(button);
});
document.querySelectorAll("main pre").forEach((block) => offer(/** @type {HTMLPreElement} */ (block)));
