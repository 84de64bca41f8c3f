// Why a passage stands where it does: its score as a bar of parts, the numbers of every stage, the words that
// counted. Loaded when the first panel is opened.

import { bar, element } from "./dom.js";
import { milliseconds } from "./results.js";

/** @typedef {import("../types").Hit} Hit */

const NAMES = /** @type {Record<string, string>} */ ({ lexical: "words", dense: "meaning" });
/** Terms shown at most, strongest first. */
const TERMS = 8;

/** The panel of one hit. @param {Hit} hit */
export function picture(hit) {
  const { explain } = hit;
  if (!explain) throw new Error("the reply was asked for without explanations");
  const parts = explain.contributions.filter(([, share]) => share > 0);
  return element("div", { class: "panel" },
    element("p", { class: "sum" }, bar(parts.map(([name, share]) => ({ share, kind: name }))),
      element("span", {}, `score ${hit.score.toFixed(3)}`)),
    element("table", {},
      element("tbody", {}, ...parted(explain))),
    explain.terms.length ? terms(explain.terms) : null);
}

/** One row for each stage that had a say. @param {NonNullable<Hit["explain"]>} explain */
function parted(explain) {
  const added = Object.fromEntries(explain.contributions);
  const row = (/** @type {string[]} */ ...[kind, name, fact, part]) => element("tr", {},
    element("th", { scope: "row", class: kind }, name), element("td", {}, fact), element("td", { class: "number" }, part));
  const found = (/** @type {"lexical" | "dense"} */ kind, /** @type {string} */ measure) => {
    const scored = explain[kind];
    const fact = scored ? `${measure} ${scored[0].toFixed(2)}, place ${scored[1]}` : "not among the best";
    return row(kind, `By ${NAMES[kind]}`, fact, `+ ${(added[kind] ?? 0).toFixed(3)}`);
  };
  const rows = [];
  if ("lexical" in added) rows.push(found("lexical", "BM25"));
  if ("dense" in added) rows.push(found("dense", "cosine"));
  const { reading } = explain;
  if (reading) {
    const margin = reading.span_logit - reading.null_logit;
    const words = margin > 0 ? "sees an answer here" : "sees no answer here";
    const fact = `${words} (margin ${margin.toFixed(1)}), place ${explain.fused_rank} before`;
    rows.push(row("reading", "By reading", fact, signed(reading.rerank_score)));
  }
  return rows;
}

/** @param {number} value */
const signed = (value) => `${value < 0 ? "−" : "+"} ${Math.abs(value).toFixed(3)}`;

/** What each word of the question added, over all fields. @param {import("../types").Term[]} scores */
function terms(scores) {
  /** @type {Map<string, {score: number, fields: string[]}>} */
  const words = new Map();
  for (const { term, field, score } of scores) {
    const word = words.get(term) ?? { score: 0, fields: [] };
    words.set(term, { score: word.score + score, fields: [...word.fields, field] });
  }
  const sorted = [...words].sort((a, b) => b[1].score - a[1].score);
  const most = sorted[0][1].score || 1;
  const rows = sorted.slice(0, TERMS).map(([term, { score, fields }]) => element("tr", {},
    element("th", { scope: "row", dir: "auto" }, term),
    element("td", {}, bar([{ share: score / most, kind: "lexical" }]),
      element("span", { class: "unseen" }, `in ${fields.join(", ")}`)),
    element("td", { class: "number" }, score.toFixed(2))));
  return element("table", { class: "terms" },
    element("caption", {}, "Words that counted (BM25)"), element("tbody", {}, ...rows));
}

const STAGES = [
  ["lexical_ms", "words"], ["encode_ms", "encoding"], ["dense_ms", "meaning"],
  ["fuse_ms", "fusion"], ["fetch_ms", "fetching"], ["read_ms", "reading"],
];

/** The milliseconds of each stage. @param {import("../types").Reply} reply */
export function stages(reply) {
  const parts = STAGES.filter(([key]) => key in reply.timings).map(([key, name]) => element("li", {},
    element("span", {}, name), element("span", {}, milliseconds(reply.timings[key]))));
  return element("ul", {}, ...parts);
}
