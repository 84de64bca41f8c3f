// The questions that were asked before in this browser, on the page before anything is asked. Loaded if there are any.

import { element } from "./dom.js";

/**
 * A list of `questions`, each a link to the address that `url` writes, and a button that has them forgotten.
 * @param {string[]} questions
 * @param {(question: string) => string} url
 * @param {() => void} forget
 */
export function recent(questions, url, forget) {
  const items = questions.map((q) => element("li", {},
    element("a", { class: "stop", "data-go": "", dir: "auto", href: url(q) }, q)));
  const button = element("button", { type: "button", class: "quiet" }, "Forget these");
  button.addEventListener("click", forget);
  return element("section", { class: "before", "aria-labelledby": "before" },
    element("h2", { id: "before", class: "small" }, "Asked before in this browser"), element("ul", {}, ...items), button);
}
