// Suggestions under the box while someone types: words completed, what was probably meant, documents by title. A
// combobox as the ARIA practices describe it: the focus stays in the box, the arrows choose, Enter takes, Esc closes.
// Loaded with the first key.

import { load } from "./client.js";
import { documentUrl, element } from "./dom.js";

/** @typedef {import("../types").Suggestions} Suggestions */
/** @typedef {{text: string, href?: string, label: (Node | string)[]}} Choice */

const WORDS = 4;
const TITLES = 3;
/** Typing has stopped when no key came for this long. */
const TYPED_MS = 60;

/**
 * Makes `input` a combobox; `begun` tells whether somebody still types there.
 * @param {HTMLInputElement} input
 * @param {() => boolean} begun
 */
export function attach(input, begun) {
  const list = element("ul", { id: "suggestions", role: "listbox", "aria-label": "Suggestions", hidden: "" });
  /** @type {Choice[]} */ let choices = [];
  let at = -1;
  let asked = new AbortController();
  /** @type {ReturnType<typeof setTimeout>} */ let typed;

  input.closest(".box")?.append(list);
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-haspopup", "listbox");
  input.setAttribute("aria-controls", list.id);
  close();

  function close() {
    clearTimeout(typed);
    asked.abort();
    choices = [];
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    choose(-1);
  }

  /** @param {number} to */
  function choose(to) {
    at = to;
    [...list.children].forEach((item, index) => item.setAttribute("aria-selected", `${index === at}`));
    if (at < 0) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", list.children[at].id);
    list.children[at].scrollIntoView({ block: "nearest" });
  }

  /** @param {Choice} choice */
  function take({ text, href }) {
    close();
    if (href) return location.assign(href);
    input.value = text;
    input.form?.requestSubmit();
  }

  async function look() {
    asked.abort();
    const { signal } = (asked = new AbortController());
    const text = input.value;
    if (!text.trim()) return close();
    try {
      /** @type {Suggestions} */
      const found = await load(`/v1/suggest?q=${encodeURIComponent(text)}&limit=${WORDS}`, { signal });
      if (signal.aborted || !begun() || document.activeElement !== input) return;
      show(offered(found, text));
    } catch {
      // Suggestions are a help; without them the page works all the same.
      if (!signal.aborted) close();
    }
  }

  /** @param {Choice[]} offers */
  function show(offers) {
    if (!offers.length) return close();
    choices = offers;
    list.replaceChildren(...offers.map(({ label }, index) =>
      element("li", { id: `suggestion-${index}`, role: "option", dir: "auto" }, ...label)));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    choose(-1);
  }

  input.addEventListener("input", () => {
    clearTimeout(typed);
    typed = setTimeout(look, TYPED_MS);
  });
  input.addEventListener("blur", close);
  input.form?.addEventListener("submit", close);
  input.addEventListener("keydown", (event) => {
    if (list.hidden || event.isComposing) return;
    if (event.key === "ArrowDown") choose(at + 1 < choices.length ? at + 1 : -1);
    else if (event.key === "ArrowUp") choose(at < 0 ? choices.length - 1 : at - 1);
    else if (event.key === "Escape") close();
    else if (event.key === "Enter" && at >= 0) take(choices[at]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  // The focus stays in the box.
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const item = event.target instanceof Element ? event.target.closest("[role=option]") : null;
    if (item) take(choices[[...list.children].indexOf(item)]);
  });
  if (begun()) typed = setTimeout(look, TYPED_MS);
}

/**
 * What is offered for `text`, words first.
 * @param {Suggestions} found
 * @param {string} text
 * @returns {Choice[]}
 */
function offered(found, text) {
  const same = (/** @type {string} */ a, /** @type {string} */ b) => a.trim().toLowerCase() === b.trim().toLowerCase();
  const meant = found.did_you_mean;
  const words = found.completions.filter((one) => !same(one.text, text) && one.text !== meant).slice(0, WORDS);
  const titles = found.titles.filter(({ title }) => title).slice(0, TITLES);
  return [
    ...(meant ? [{ text: meant, label: [element("span", { class: "small" }, "Did you mean "), meant] }] : []),
    ...words.map((one) => ({ text: one.text, label: completed(one.text, text) })),
    ...titles.map(({ title, document }) => ({
      text: title, href: documentUrl({ document }, text), label: [element("span", { class: "small" }, "Open "), title],
    })),
  ];
}

/** What is added stands out. @param {string} whole @param {string} begun */
function completed(whole, begun) {
  if (!whole.toLowerCase().startsWith(begun.toLowerCase())) return [whole];
  return [whole.slice(0, begun.length), element("b", {}, whole.slice(begun.length))];
}
