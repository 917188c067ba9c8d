/** What becomes of a text, and of a place in it, when somebody else changes the text. */

/** Whether a place in a text is in the middle of a character. @param {string} text @param {number} at */
const splits = (text, at) => /^[\uD800-\uDBFF][\uDC00-\uDFFF]$/.test(text.slice(Math.max(at - 1, 0), at + 1));

/**
 * What two texts have in common: so many letters at their beginnings, and so many at their ends behind those.
 * @param {string} before @param {string} after @returns {[number, number]}
 */
export function common(before, after) {
  const most = Math.min(before.length, after.length);
  let from = 0;
  while (from < most && before[from] === after[from]) from += 1;
  if (splits(before, from) || splits(after, from)) from -= 1;
  let end = 0;
  while (end < most - from && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  if (splits(before, before.length - end) || splits(after, after.length - end)) end -= 1;
  return [from, end];
}

/** Where a place in a text is once the text has changed. @param {number} place @param {string} before @param {string} after */
export function moved(place, before, after) {
  const [from, end] = common(before, after);
  if (place <= from) return place;
  return after.length - Math.min(end, before.length - place);
}

/** A text in which both of two changes to it were made. @param {string} before @param {string} mine @param {string} theirs */
export function merged(before, mine, theirs) {
  const [from, end] = common(before, mine);
  const upTo = moved(before.length - end, before, theirs);
  return theirs.slice(0, moved(from, before, theirs)) + mine.slice(from, mine.length - end) + theirs.slice(upTo);
}
