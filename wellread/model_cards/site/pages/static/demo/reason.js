/** Why the demo cannot do something, in words for the visitor. Any other error is a defect of ours. */
export class Reason extends Error {}

/**
 * What to show of whatever was thrown.
 * @param {unknown} error
 * @returns {string}
 */
export function inWords(error) {
  if (error instanceof Reason) return error.message;
  return `Something went wrong that should not have: ${error instanceof Error ? error.message : String(error)}`;
}
