// Builds the page out of elements and text nodes. Text of documents is only ever text: nothing here, or
// anywhere, parses markup.

/** @typedef {import("../types").Span} Span */

/**
 * An element with attributes and children; strings become text nodes, null is left out.
 * @param {string} name
 * @param {Record<string, string>} attributes
 * @param {...(Node | string | null)} children
 * @returns {HTMLElement}
 */
export function element(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children.filter((child) => child !== null));
  return node;
}

/**
 * An element of a drawing.
 * @param {string} name
 * @param {Record<string, string>} attributes
 * @param {...Node} children
 * @returns {SVGElement}
 */
export function svg(name, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return /** @type {SVGElement} */ (node);
}

/**
 * A flat bar of parts, each a share of the whole width and a class; what it says stands in text beside it.
 * @param {{share: number, kind: string}[]} parts
 */
export function bar(parts) {
  const drawing = svg("svg", { class: "bar-drawing", "aria-hidden": "true" });
  let at = 0;
  for (const { share, kind } of parts) {
    const width = Math.max(0, Math.min(share, 1 - at));
    drawing.append(svg("rect", { class: kind, x: `${100 * at}%`, width: `${100 * width}%`, height: "100%" }));
    at += width;
  }
  return drawing;
}

/**
 * `text` as nodes in which every range stands in a `mark`. Ranges are sorted, apart, and counted in
 * characters (code points), as the interface counts them; JavaScript's own strings count UTF-16 units.
 * @param {string} text
 * @param {{start: number, end: number}[]} ranges
 * @param {string} className
 */
export function marked(text, ranges, className) {
  const characters = Array.from(text);
  const cut = (/** @type {number} */ from, /** @type {number} */ to) => characters.slice(from, to).join("");
  /** @type {(Node | string)[]} */
  const nodes = [];
  let at = 0;
  for (const { start, end } of ranges) {
    nodes.push(cut(at, start), element("mark", { class: className }, cut(start, end)));
    at = end;
  }
  nodes.push(cut(at, characters.length));
  return nodes;
}

/**
 * Where the page shows an answer, a passage or both, in their document, with the words of the question marked.
 * @param {{document: string, page?: number, said?: Span, passage?: Span}} place
 * @param {string} question
 */
export function documentUrl({ document, page, said, passage }, question) {
  const query = new URLSearchParams({ id: document });
  if (passage) query.set("from", `${passage.start_byte}`), query.set("to", `${passage.end_byte}`);
  if (said) query.set("start", `${said.start_byte}`), query.set("end", `${said.end_byte}`);
  if (page) query.set("page", `${page}`);
  query.set("q", question);
  return `/document?${query}#${said ? "said" : "passage"}`;
}

/** A probability as a percentage that never claims certainty. @param {number} probability */
export function percent(probability) {
  const value = probability * 100;
  if (value > 0 && value < 1) return "under 1 %";
  if (value > 99 && value < 100) return "over 99 %";
  return `${Math.round(value)} %`;
}

/** How much of a work is done, as a percentage. @param {number} done @param {number} total */
export const share = (done, total) => `${Math.floor(100 * done / Math.max(total, 1))} %`;

/** "1 file", "3 files". @param {number} number @param {string} word */
export function count(number, word) {
  return `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
}

/** "4.2 MB". @param {number} bytes */
export function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const power = bytes < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[power]}`;
}

/** A heading with sentences below. @param {string} title @param {...(Node | string)} lines */
export function note(title, ...lines) {
  const paragraphs = lines.map((line) => (typeof line === "string" ? element("p", {}, line) : line));
  return element("section", { class: "note" }, element("h2", {}, title), ...paragraphs);
}

/** `<alder-copy text="…" label="…">`: a button that copies; without a text, the address of the page. */
class Copy extends HTMLElement {
  connectedCallback() {
    if (this.firstChild) return;
    const label = this.getAttribute("label") ?? "Copy";
    const button = element("button", { type: "button", class: "quiet" }, label);
    const said = element("span", { class: "unseen", role: "status" });
    button.addEventListener("click", async () => {
      const { copy } = await import("./copy.js");
      const done = await copy(this.getAttribute("text") ?? location.href);
      button.textContent = said.textContent = done ? "Copied" : "The browser did not allow it";
      setTimeout(() => { button.textContent = label; said.textContent = ""; }, 2000);
    });
    this.append(button, said);
  }
}
customElements.define("alder-copy", Copy);
