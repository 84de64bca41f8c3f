// Calls the service. A failure is an Error whose message can be shown as it is.

/** The JSON at `path`; `signal` ends the call. */
async function load(path, signal) {
  let response;
  try {
    response = await fetch(path, { signal, headers: { accept: "application/json" } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not answer. Is “alder serve” still running?");
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.detail || `The server said ${response.status}.`);
  return body;
}

/** Hits and answers for a question. */
export const ask = (question, signal) => load(`/v1/ask?${new URLSearchParams({ q: question })}`, signal);

/** What the collection holds and whether it is being indexed. */
export const status = () => load("/v1/status");

/** One document with its text. */
export const fetchDocument = (id) => load(`/v1/documents/${encodeURIComponent(id)}`);
