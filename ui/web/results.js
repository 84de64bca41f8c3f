// What a reply looks like: the answer card, the hits, the timings.

import { count, documentUrl, element, marked, percent, trail } from "./dom.js";

/** A passage longer than this (in characters) is cut around the words of the question. */
const SNIPPET = 420;

/** The answer in its passage, or that the documents do not say; null when nothing was read. */
export function answerCard(reply) {
  if (!reply.verdict) return null;
  const [best, ...others] = reply.answers;
  if (!reply.verdict.confident) return silence(reply);
  return element("section", { class: "answer", "aria-labelledby": "answer" },
    element("h2", { id: "answer" }, best.text),
    element("blockquote", { cite: documentUrl(best.document, best) }, ...evidence(best)),
    element("p", { class: "source" }, place(best), identifier(best.document, best.page)),
    confidence(best),
    best.sources.length > 1 ? places(best.sources) : null,
    others.length ? guesses("Other answers", others) : null);
}

function silence(reply) {
  return element("section", { class: "answer silent", "aria-labelledby": "answer" },
    element("h2", { id: "answer" }, "The documents do not say."),
    element("p", {}, "No passage answers this with enough certainty. The closest ones are below."),
    reply.answers.length ? guesses("What came nearest to an answer", reply.answers) : null);
}

/** The passage; its sentence stands out, and in it the answer. */
function evidence(answer) {
  const { passage, sentence } = answer;
  const characters = Array.from(passage.text);
  const start = passage.start - sentence.start;
  const end = start + Array.from(sentence.text).length;
  return [
    characters.slice(0, start).join(""),
    element("span", { class: "sentence" }, ...marked(sentence.text, [sentence], "said")),
    characters.slice(end).join(""),
  ];
}

function place(answer) {
  const url = documentUrl(answer.document, answer);
  return element("a", { class: "stop", href: url }, trail(answer.title, answer.heading_path, answer.document));
}

/** The document's id, with the page where it has pages. */
function identifier(id, page) {
  return element("span", { class: "id" }, page ? `${id}, page ${page}` : id);
}

function confidence(answer) {
  const value = String(answer.probability);
  return element("p", { class: "confidence" },
    element("meter", { min: "0", max: "1", low: "0.5", high: "0.8", optimum: "1", value, "aria-hidden": "true" }),
    `${capital(answer.confidence)} (${percent(answer.probability)})`);
}

function places(sources) {
  const items = sources.map((source) => element("li", {},
    element("a", { href: documentUrl(source.document, source.span) }, source.title || source.document),
    identifier(source.document)));
  return element("details", {},
    element("summary", {}, `Said in ${count(sources.length, "place")}`), element("ul", {}, ...items));
}

function guesses(title, answers) {
  const items = answers.map((answer) => element("li", {},
    element("span", { class: "guess" }, answer.text), ` ${percent(answer.probability)} `, place(answer)));
  return element("details", {}, element("summary", {}, `${title} (${answers.length})`), element("ol", {}, ...items));
}

/** Every passage found, best first. */
export function hitList(reply) {
  const items = reply.hits.map((hit) => element("li", {},
    element("h3", {}, element("a", { class: "stop", href: documentUrl(hit.document, hit.span) },
      trail(hit.title, hit.heading_path, hit.document))),
    element("p", { class: "source" }, identifier(hit.document, hit.page),
      element("span", { class: "score", title: "Comparable within this list only" }, `score ${hit.score.toFixed(3)}`)),
    element("p", { class: "text" }, ...snippet(hit))));
  return element("section", { "aria-labelledby": "passages" },
    element("h2", { id: "passages", class: "small" }, "Passages"),
    element("ol", { class: "hits" }, ...items));
}

/** The text of a hit, from the place on where most words of the question are. */
function snippet(hit) {
  const characters = Array.from(hit.text);
  if (characters.length <= SNIPPET) return marked(hit.text, hit.highlights, "term");
  const seen = (from) => hit.highlights.filter((h) => h.start >= from && h.end <= from + SNIPPET).length;
  let from = 0;
  for (const { start } of hit.highlights) {
    const candidate = wordStart(characters, Math.max(0, start - 60));
    if (seen(candidate) > seen(from)) from = candidate;
  }
  let to = Math.min(characters.length, from + SNIPPET);
  while (to < characters.length && to > from + 1 && characters[to] !== " ") to -= 1;
  const inside = hit.highlights
    .filter((h) => h.start >= from && h.end <= to)
    .map((h) => ({ start: h.start - from, end: h.end - from }));
  const text = characters.slice(from, to).join("");
  return [from > 0 ? "… " : "", ...marked(text, inside, "term"), to < characters.length ? " …" : ""];
}

function wordStart(characters, at) {
  let start = at;
  while (start > 0 && !/\s/u.test(characters[start - 1])) start -= 1;
  return start;
}

const STAGES = [
  ["lexical_ms", "words"], ["encode_ms", "encoding"], ["dense_ms", "meaning"],
  ["fuse_ms", "fusion"], ["fetch_ms", "fetching"], ["read_ms", "reading"],
];

/** How long it took, stage by stage. */
export function timingLine(reply) {
  const parts = STAGES.filter(([key]) => key in reply.timings)
    .map(([key, name]) => `${name} ${milliseconds(reply.timings[key])}`);
  return element("p", { class: "timings" }, `${milliseconds(reply.took_ms)} in all: ${parts.join(", ")}`);
}

function milliseconds(value) {
  return value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value).toLocaleString("en")} ms`;
}

function capital(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
