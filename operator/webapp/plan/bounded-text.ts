// Text for status and events: bounded, whatever it comes from.

/** @returns at most `most` UTF-16 units of `text` from its beginning; what is cut ends in `…`, never in half a character */
export function cutEnd(text: string, most: number): string {
  return text.length <= most
    ? text
    : `${text
        .slice(0, most - 1)
        .toWellFormed()
        .replace(/\uFFFD$/, '')}…`;
}

/** @returns the last `count` lines of `text` that say something, at most `most` UTF-16 units of their end */
export function lastLines(text: string, count: number, most: number): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const end = lines.slice(-count).join('\n');
  return end.length <= most
    ? end
    : `…${end
        .slice(-(most - 1))
        .toWellFormed()
        .replace(/^\uFFFD/, '')}`;
}
