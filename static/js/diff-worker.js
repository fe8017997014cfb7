// Compares texts word by word with jsdiff. Gets {library} once, then {pairs: [{id, left, right}]}; answers with
// [{id, parts}], where parts are [text, "del" | "ins" | ""], or null where marks would say less than the whole lines do.
"use strict";
const PATIENCE = 400;
const ALIKE = 0.2;

function compare(left, right) {
  const changes = Diff.diffWordsWithSpace(left, right, { timeout: PATIENCE });
  if (!changes) return null;
  const shared = changes.reduce((sum, { added, removed, value }) => (added || removed ? sum : sum + value.trim().length), 0);
  if (shared < ALIKE * Math.min(left.length, right.length) && changes.length > 3) return null;
  return changes.map(({ added, removed, value }) => [value, removed ? "del" : added ? "ins" : ""]);
}

addEventListener("message", ({ data }) => {
  if (data.library) importScripts(data.library);
  else postMessage(data.pairs.map(({ id, left, right }) => ({ id, parts: compare(left, right) })));
});
