// The list of keyboard shortcuts. Loaded when it is asked for.

import { element } from "./dom.js";

const SHORTCUTS = [
  [["/"], "to the question"],
  [["Enter"], "read the best passages and answer; on a result, open it"],
  [["↓", "↑"], "from result to result; in the question, through the suggestions"],
  [["w"], "why this result"],
  [["Esc"], "back to the question, then empty it"],
  [["n", "p"], "next and previous match in a document"],
  [["?"], "this list"],
];

/** Shows the list until it is closed. */
export function showHelp() {
  const known = document.getElementById("help");
  const dialog = known instanceof HTMLDialogElement ? known : made();
  dialog.showModal();
}

function made() {
  const rows = SHORTCUTS.map(([keys, words]) => element("div", {},
    element("dt", {}, ...[...keys].flatMap((key) => [element("kbd", {}, key), " "])), element("dd", {}, `${words}`)));
  const dialog = /** @type {HTMLDialogElement} */ (element("dialog", { id: "help", "aria-labelledby": "help-title" },
    element("h2", { id: "help-title" }, "Shortcuts"), element("dl", { class: "keys" }, ...rows),
    element("form", { method: "dialog" }, element("button", {}, "Close"))));
  document.body.append(dialog);
  return dialog;
}
