// Builds the page out of elements and text nodes. Text of documents is only ever text: nothing here, or
// anywhere, parses markup.

/**
 * An element with attributes and children; strings become text nodes, null is left out.
 * @param {string} name
 * @param {Record<string, string>} attributes
 * @param {...(Node | string | null)} children
 */
export function element(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children.filter((child) => child !== null));
  return node;
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
  const cut = (from, to) => characters.slice(from, to).join("");
  const nodes = [];
  let at = 0;
  for (const { start, end } of ranges) {
    nodes.push(cut(at, start), element("mark", { class: className }, cut(start, end)));
    at = end;
  }
  nodes.push(cut(at, characters.length));
  return nodes;
}

/** The text in three parts around a range of bytes of its UTF-8 form. */
export function splitAtBytes(text, start, end) {
  const bytes = new TextEncoder().encode(text);
  const decode = (part) => new TextDecoder().decode(part);
  return [bytes.subarray(0, start), bytes.subarray(start, end), bytes.subarray(end)].map(decode);
}

/** Where the page shows `span` (bytes) of a document. */
export function documentUrl(id, span) {
  const query = new URLSearchParams({ id, start: span.start_byte, end: span.end_byte });
  return `/document?${query}`;
}

/** "Title › Heading", without repetition, or the id when there is neither. */
export function trail(title, headingPath, id) {
  const parts = [title, ...headingPath.filter((heading) => heading !== title)].filter(Boolean);
  return parts.length ? parts.join(" › ") : id;
}

/** A probability as a percentage that never claims certainty. */
export function percent(probability) {
  const value = probability * 100;
  if (value > 0 && value < 1) return "under 1 %";
  if (value > 99 && value < 100) return "over 99 %";
  return `${Math.round(value)} %`;
}

/** "1 file", "3 files". */
export function count(number, word) {
  return `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
}
