// What a reply looks like: the answer card, the other answers, the hits, the pages, and the chips that narrow it by
// metadata. A filter is text in the short form of the interface, `author = "Ada" AND year >= 1840`.

import { PAGE } from "./client.js";
import { bar, count, documentUrl, element, marked, percent } from "./dom.js";

/** @typedef {import("../types").Answer} Answer */
/** @typedef {import("../types").Asked} Asked */
/** @typedef {import("../types").Hit} Hit */
/** @typedef {import("../types").Reply} Reply */
/** @typedef {import("../types").Span} Span */
/** @typedef {string | number | boolean} Value */

/** A passage longer than this (in characters) is cut around the words of the question. */
const SNIPPET = 380;
/** Around the sentence of an answer this much of its passage is shown at once, on each side. */
const AROUND = 200;
/** Other answers shown in full; the rest can be opened. */
const OTHERS = 3;
/** Values of one field shown at once. */
const SHOWN = 6;
/** A value longer than this, in characters, is cut. */
const LONG = 40;
/** What the buttons of a subject said, for as long as the page lives. @type {Map<string, string>} */
export const judged = new Map();
/** A guess less probable than this is noise: beside an answer, and where the documents do not say. */
const NOISE = { beside: 0.01, silent: 0.05 };

/**
 * The answer in its passage, or that the documents do not say; null when nothing was read.
 * @param {Reply} reply
 */
export function answerCard(reply) {
  if (!reply.verdict) return null;
  const best = reply.answers[0];
  if (!reply.verdict.confident || !best) return silence(reply);
  const long = best.text.length > 80 ? "long" : "";
  return element("section", { class: "answer", "aria-labelledby": "answer" },
    confidence(best),
    element("h2", { id: "answer", class: long, dir: "auto" }, best.text),
    element("blockquote", { dir: "auto" }, ...evidence(best)),
    element("p", { class: "source" }, "In ", place(inAnswer(best), reply.query), identifier(best)),
    best.sources.length > 1 ? sources(best, reply.query) : null,
    verdict("Is this right?", { q: reply.query, document: best.document, answer: best.text }));
}

/**
 * A question with the buttons yes and no; `judge.js` sends what is pressed.
 * @param {string} question
 * @param {object} what
 */
function verdict(question, what) {
  const subject = JSON.stringify(what);
  const button = (/** @type {string} */ value, /** @type {string} */ label) => element("button",
    { type: "button", class: "quiet", value, "aria-pressed": `${judged.get(subject) === value}` }, label);
  return element("p", { class: "judge", role: "group", "aria-label": question, "data-subject": subject },
    element("span", { "aria-hidden": "true" }, question), button("yes", "Yes"), button("no", "No"),
    element("span", { role: "status" }));
}

/** @param {Reply} reply */
function silence(reply) {
  return element("section", { class: "answer silent", "aria-labelledby": "answer" },
    element("h2", { id: "answer" }, "The documents do not say."),
    element("p", {}, "No passage answers this with enough certainty. The closest ones are below; the answer may " +
      "stand in one of them in other words, or not at all."));
}

/** While the passages are being read: takes the place of the card. */
export function reading() {
  return element("section", { class: "answer reading", "aria-hidden": "true" },
    element("p", { class: "sure" }, "Reading the best passages…"),
    ...["short", "", "", "half"].map((kind) => element("span", { class: `line ${kind}` })));
}

/** The passage; its sentence stands out, and in it the answer. @param {Answer} answer */
function evidence(answer) {
  const { passage, sentence } = answer;
  const characters = Array.from(passage.text);
  const start = passage.start - sentence.start;
  const end = start + Array.from(sentence.text).length;
  const from = start <= AROUND ? 0 : wordStart(characters, start - AROUND);
  const to = characters.length - end <= AROUND ? characters.length : wordStart(characters, end + AROUND);
  return [
    (from > 0 ? "… " : "") + characters.slice(from, start).join(""),
    element("span", { class: "sentence" }, ...marked(sentence.text, [sentence], "said")),
    characters.slice(end, to).join("") + (to < characters.length ? "…" : ""),
  ];
}

/**
 * A link to a place: the title, and the headings it stands under.
 * @param {{document: string, title: string, heading_path?: string[], page?: number, said?: Span, passage?: Span}} what
 * @param {string} question
 */
function place(what, question) {
  const headings = (what.heading_path ?? []).filter((heading) => heading && heading !== what.title);
  const [first, ...rest] = [what.title, ...headings].filter(Boolean);
  return element("a", { class: "stop", href: documentUrl(what, question), dir: "auto" },
    element("b", {}, first || what.document), ...rest.map((heading) => ` › ${heading}`));
}

/** Where an answer stands. @param {Answer} answer */
const inAnswer = ({ document, title, heading_path, page, start_byte, end_byte, passage_span }) =>
  ({ document, title, heading_path, page, said: { start_byte, end_byte }, passage: passage_span });

/** What people are told of a document whose file is not as it was. */
const AGED = { stale: "changed since it was indexed", gone: "its file is gone" };

/** The document's id, with the page where it has pages. @param {{document: string, page?: number, freshness?: string}} what */
function identifier(what) {
  const aged = what.freshness === "stale" || what.freshness === "gone" ? AGED[what.freshness] : null;
  return element("span", { class: "id" },
    element("bdi", {}, what.document), what.page ? `, page ${what.page}` : "",
    aged ? element("span", { class: "aged" }, aged) : null);
}

/** @param {Answer} answer */
function confidence(answer) {
  const words = answer.confidence.charAt(0).toUpperCase() + answer.confidence.slice(1);
  return element("p", { class: "sure" }, bar([{ share: answer.probability, kind: "leaf" }]),
    element("span", {}, element("b", {}, words), ` · ${percent(answer.probability)}`));
}

/** @param {Answer} answer @param {string} question */
function sources(answer, question) {
  const items = answer.sources.map((source) =>
    element("li", {}, place({ ...source, said: source.span }, question), identifier(source)));
  return element("details", {},
    element("summary", {}, `Said in ${count(answer.sources.length, "place")}`), element("ul", {}, ...items));
}

/**
 * What else the documents say, beside the answer.
 * @param {Reply} reply
 */
export function otherAnswers(reply) {
  if (!reply.verdict) return null;
  const noise = reply.verdict.confident ? NOISE.beside : NOISE.silent;
  const shown = reply.answers.slice(reply.verdict.confident ? 1 : 0).filter((answer) => answer.probability >= noise);
  if (!shown.length) return null;
  const best = reply.verdict.confident ? reply.answers[0] : undefined;
  const list = (/** @type {Answer[]} */ answers) =>
    element("ul", { class: "others" }, ...answers.map((answer) => other(answer, reply.query, best)));
  const rest = shown.slice(OTHERS);
  return element("section", { class: "beside", "aria-labelledby": "others" },
    element("h2", { id: "others", class: "small" }, reply.verdict.confident ? "Other answers" : "Nearest to an answer"),
    list(shown.slice(0, OTHERS)),
    rest.length ? element("details", {}, element("summary", {}, `${rest.length} more`), list(rest)) : null);
}

/**
 * One of them; the sentence of the answer itself is not repeated.
 * @param {Answer} answer
 * @param {string} question
 * @param {Answer} [best]
 */
function other(answer, question, best) {
  const { sentence } = answer;
  const known = sentence.text === best?.sentence.text && answer.document === best.document;
  return element("li", {},
    element("p", { class: "head" },
      element("b", { dir: "auto" }, answer.text), element("span", { class: "id" }, percent(answer.probability))),
    known || sentence.text === answer.text ? null
      : element("p", { class: "text", dir: "auto" }, ...marked(sentence.text, [sentence], "said")),
    element("p", { class: "source" }, known ? "Same sentence, " : null, place(inAnswer(answer), question)));
}

/**
 * The passages of one page, best first.
 * @param {Reply} reply
 * @param {Asked} asked
 */
export function hitList(reply, asked) {
  const items = reply.hits.map((hit) => element("li", { value: `${hit.rank}` },
    element("h3", {}, place({ ...hit, passage: hit.span }, reply.query)),
    element("p", { class: "source" }, identifier(hit)),
    element("p", { class: "text", dir: "auto" }, ...snippet(hit)),
    element("div", { class: "act" }, hit.explain ? why(hit) : null,
      verdict("Relevant?", { q: reply.query, document: hit.document }))));
  return element("section", { class: "passages", "aria-labelledby": "passages" },
    element("h2", { id: "passages", class: "small" }, "Passages"),
    element("ol", { class: "hits", start: `${asked.offset + 1}` }, ...items));
}

/** A panel that is made when it is opened first. @param {Hit} hit */
function why(hit) {
  const panel = element("details", { class: "why" }, element("summary", {}, "Why this result"));
  panel.addEventListener("toggle", async () => {
    if (panel.children.length > 1) return;
    const { picture } = await import("./why.js");
    panel.append(picture(hit));
  }, { once: true });
  return panel;
}

/** The text of a hit, from the place on where most words of the question are. @param {Hit} hit */
function snippet(hit) {
  const characters = Array.from(hit.text);
  if (characters.length <= SNIPPET) return marked(hit.text, hit.highlights, "term");
  const seen = (/** @type {number} */ from) =>
    hit.highlights.filter((h) => h.start >= from && h.end <= from + SNIPPET).length;
  let from = 0;
  for (const { start } of hit.highlights) {
    const candidate = wordStart(characters, Math.max(0, start - 60));
    if (seen(candidate) > seen(from)) from = candidate;
  }
  let to = Math.min(characters.length, from + SNIPPET);
  while (to < characters.length && to > from + 1 && !/\s/u.test(characters[to])) to -= 1;
  const inside = hit.highlights
    .filter((h) => h.start >= from && h.end <= to)
    .map((h) => ({ start: h.start - from, end: h.end - from }));
  const text = characters.slice(from, to).join("");
  return [from > 0 ? "… " : "", ...marked(text, inside, "term"), to < characters.length ? " …" : ""];
}

/** @param {string[]} characters @param {number} at */
function wordStart(characters, at) {
  let start = at;
  while (start > 0 && !/\s/u.test(characters[start - 1])) start -= 1;
  return start || at;
}

/**
 * Links to the pages before and after; `url` writes the address of a state.
 * @param {Reply} reply
 * @param {Asked} asked
 * @param {(asked: Asked) => string} url
 */
export function pages(reply, asked, url) {
  const first = asked.offset + 1;
  const last = asked.offset + reply.hits.length;
  const more = last < reply.total;
  if (!asked.offset && !more) return null;
  const link = (/** @type {number} */ offset, /** @type {string} */ words) =>
    element("a", { href: url({ ...asked, offset }), "data-go": "" }, words);
  return element("nav", { class: "pages", "aria-label": "Pages" },
    asked.offset ? link(Math.max(0, asked.offset - PAGE), "← Previous") : element("span", {}),
    element("span", { class: "id" }, `${first} to ${last} of ${reply.total}${reply.total_is_complete ? "" : " or more"}`),
    more ? link(last, "Next →") : element("span", {}));
}

/** How long it took; stage by stage when it is opened. @param {Reply} reply */
export function timings(reply) {
  const panel = element("details", { class: "timings" },
    element("summary", {}, `${count(reply.candidates, "candidate")} in ${milliseconds(reply.took_ms)}`));
  panel.addEventListener("toggle", async () => panel.append((await import("./why.js")).stages(reply)), { once: true });
  return panel;
}

/** @param {number} value */
export function milliseconds(value) {
  return value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value).toLocaleString("en")} ms`;
}

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
