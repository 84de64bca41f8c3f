// Narrowing by metadata: chips for what the list is narrowed to, each removable, and for the values it could be
// narrowed to. A filter is text in the short form of the interface, `author = "Ada" AND year >= 1840`.

import { element } from "./dom.js";

/** @typedef {import("../types").Asked} Asked */
/** @typedef {import("../types").Reply} Reply */
/** @typedef {string | number | boolean} Value */

/** Values of one field shown at once. */
const SHOWN = 6;
/** A value longer than this, in characters, is cut. */
const LONG = 40;

/** The condition that `field` is `value`. @param {string} field @param {Value} value */
function condition(field, value) {
  const quoted = (/** @type {string} */ text) => `"${text.replace(/["\\]/g, "\\$&")}"`;
  const name = /^[\p{L}\p{N}_.-]+$/u.test(field) && !/^(and|or|not|in|exists)$/i.test(field) ? field : quoted(field);
  return `${name} = ${typeof value === "string" ? quoted(value) : value}`;
}

/** The conditions of a filter that must all hold; one that is more than a list of them stays whole. @param {string} filter */
function conditions(filter) {
  const parts = [""];
  let depth = 0;
  for (const [token] of filter.matchAll(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[()]|[^\s"'()]+|\s+/g)) {
    depth += token === "(" ? 1 : token === ")" ? -1 : 0;
    if (!depth && /^or$/i.test(token)) return [filter];
    if (!depth && /^and$/i.test(token)) parts.push("");
    else parts[parts.length - 1] += token;
  }
  return parts.map((part) => part.trim()).filter(Boolean);
}

/** A condition as people read it: `author = "Ada"` is "author: Ada". @param {string} text */
function words(text) {
  const found = text.match(/^("(?:\\.|[^"\\])*"|[^\s=]+)\s*=\s*("(?:\\.|[^"\\])*"|[^\s"]+)$/);
  if (!found) return text;
  const [, field, value] = found.map((part) => part.startsWith('"') ? part.slice(1, -1).replace(/\\(.)/g, "$1") : part);
  return `${field}: ${value}`;
}

/** @param {string} text */
const cut = (text) => text.length > LONG ? `${text.slice(0, LONG - 1)}…` : text;

/**
 * What the list is narrowed to; `url` writes the address of a state.
 * @param {Asked} asked
 * @param {(asked: Asked) => string} url
 */
export function narrowed(asked, url) {
  const all = conditions(asked.filter);
  const chips = all.map((one) => {
    const filter = all.filter((other) => other !== one).join(" AND ");
    return element("li", {}, element("a", {
      class: "chip on", "data-go": "", href: url({ ...asked, filter, offset: 0 }), dir: "auto",
      "aria-label": `Remove the filter ${words(one)}`, title: "Remove this filter",
    }, cut(words(one)), element("span", { "aria-hidden": "true" }, " ✕")));
  });
  return element("nav", { class: "chips", "aria-label": "Filters" },
    element("span", { class: "small" }, "Only"), element("ul", {}, ...chips));
}

/**
 * What the list could be narrowed to, field by field; null when there is no choice.
 * @param {Reply} reply
 * @param {Asked} asked
 * @param {(asked: Asked) => string} url
 */
export function choices(reply, asked, url) {
  const known = conditions(asked.filter);
  const rows = (reply.facets ?? []).map(({ field, values, missing }) => {
    const open = values.filter(({ value }) => !known.includes(condition(field, value)));
    // No choice, or as many choices as passages: neither helps.
    if (open.length + Math.min(1, missing) < 2 || open.every(({ count }) => count === 1)) return null;
    const chips = open.map(({ value, count }) => element("li", {}, element("a", {
      class: "chip", "data-go": "", dir: "auto",
      href: url({ ...asked, filter: [...known, condition(field, value)].join(" AND "), offset: 0 }),
    }, cut(`${value}`), element("span", { class: "id" }, element("span", { class: "unseen" }, ", passages: "), ` ${count}`))));
    const list = (/** @type {HTMLElement[]} */ some) => element("ul", {}, ...some);
    const rest = chips.slice(SHOWN);
    return element("div", { class: "chips", role: "group", "aria-label": `Narrow by ${field}` },
      element("span", { class: "small" }, field), list(chips.slice(0, SHOWN)),
      rest.length ? element("details", {}, element("summary", {}, `${rest.length} more`), list(rest)) : null);
  }).filter((row) => row !== null);
  return rows.length ? element("section", { class: "facets", "aria-label": "Narrow the passages" }, ...rows) : null;
}
