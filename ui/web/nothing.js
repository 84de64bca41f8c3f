// What stands where nothing was found: why that may be, and a wider question. Loaded only then.

import { element, note } from "./dom.js";

/** @typedef {import("../types").Asked} Asked */
/** @typedef {import("../types").Status} Status */

/**
 * Advice for a question without passages; `url` writes the address of a state.
 * @param {Asked} asked
 * @param {Status | null} state
 * @param {(asked: Asked) => string} url
 */
export function nothing(asked, state, url) {
  const advice = [];
  if (state?.indexing?.state === "running") {
    advice.push("Documents are still being indexed; what you look for may not be there yet.");
  }
  if (asked.offset) advice.push("There are no more passages.");
  else if (asked.filter) advice.push("No passage has all of this within the filters above.");
  else advice.push("Try fewer or other words, or check the spelling.");
  const { wider, words } = widened(asked);
  if (url(wider) !== url(asked)) advice.push(element("p", {}, element("a", { href: url(wider), "data-go": "" }, words)));
  return note("Nothing found", ...advice);
}

/** @param {Asked} asked @returns {{wider: Asked, words: string}} */
function widened(asked) {
  if (asked.offset) return { wider: { ...asked, offset: 0 }, words: "Back to the first page" };
  if (asked.filter) return { wider: { ...asked, filter: "" }, words: "Search without the filters" };
  return { wider: { ...asked, mode: "hybrid" }, words: "Search by words and meaning" };
}
