// Asks for the key of a server that wants one. Loaded when the server has said so.

import { keepKey } from "./client.js";
import { element } from "./dom.js";

/**
 * A form for the key; `then` is called when there is one.
 * @param {string} why what was wrong with the key that was sent, if one was
 * @param {() => void} then
 */
export function keyForm(why, then) {
  const field = /** @type {HTMLInputElement} */ (element("input", {
    id: "key", type: "password", required: "", autocomplete: "off", spellcheck: "false", "aria-describedby": "key-note",
  }));
  const form = element("form", { class: "note ask-key", "aria-labelledby": "key-title" },
    element("h2", { id: "key-title" }, "This server asks for a key"),
    why ? element("p", { class: "wrong", role: "alert" }, why) : null,
    element("label", { for: "key" }, "Key"),
    element("div", { class: "row" }, field, element("button", { type: "submit", class: "strong" }, "Use this key")),
    element("p", { id: "key-note", class: "aside" },
      "It stays in this tab until the tab is closed or you have it forgotten. Whoever runs the server makes keys with ",
      element("code", {}, "alder keys create NAME"), "."));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keepKey(field.value.trim());
    then();
  });
  return form;
}
