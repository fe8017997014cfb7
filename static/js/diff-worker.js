// Compares texts word by word with jsdiff. Gets {library} once, then {pairs: [{id, left, right}]}; answers with
// [{id, parts}], where parts are [text, "del" | "ins" | ""], or null where marks would say less than the whole lines do.
"use strict";
const PATIENCE = 400;
const ALIKE = 0.2;

// White space at the end of both sides is not part of a change.
function flush(parts, taken, put) {
  const space = taken && put ? /\s*$/.exec(put)[0] : "";
  const shared = taken.endsWith(space) ? space.length : 0;
  for (const [text, kind] of [[taken, "del"], [put, "ins"]]) {
    if (text.length > shared) parts.push([text.slice(0, text.length - shared), kind]);
  }
  if (shared) parts.push([space, ""]);
}

// Changes with nothing but white space between them read as one.
function joined(changes) {
  const parts = [];
  let [taken, put] = ["", ""];
  changes.forEach(({ added, removed, value }, at) => {
    const isBetween = !value.trim() && (taken || put) && at < changes.length - 1;
    if (!added && !removed && !isBetween) {
      flush(parts, taken, put);
      parts.push([value, ""]);
      [taken, put] = ["", ""];
      return;
    }
    if (!added) taken += value;
    if (!removed) put += value;
  });
  flush(parts, taken, put);
  return parts;
}

function compare(left, right) {
  const changes = Diff.diffWordsWithSpace(left, right, { timeout: PATIENCE });
  if (!changes) return null;
  const shared = changes.reduce((sum, { added, removed, value }) => (added || removed ? sum : sum + value.trim().length), 0);
  if (shared < ALIKE * Math.min(left.length, right.length) && changes.length > 3) return null;
  return joined(changes);
}

addEventListener("message", ({ data }) => {
  if (data.library) importScripts(data.library);
  else postMessage(data.pairs.map(({ id, left, right }) => ({ id, parts: compare(left, right) })));
});
