// What comes from a client, a file or a cluster, made harmless: it may not steer the terminal, hide itself or turn other text around. Pure.

/** C0 and C1 controls, DEL, line and paragraph separators, and the marks of Unicode that change the direction of what follows (UTR 36, "Trojan Source"). */
const STEERING = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
const BLANK = /[\t\n\r]+/g;

/** @returns one line: breaks and tabs are blanks, whatever else would steer is shown as its number, such as `\u001b` */
export function plainText(text: string): string {
  return text.replace(BLANK, ' ').replace(STEERING, escaped);
}

/** @returns the lines of a text, each harmless */
export function plainLines(text: string): string[] {
  return text
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.replace(/\t/g, '    ').replace(STEERING, escaped));
}

/** @returns `json` that says the same in letters only: JSON.stringify leaves C1 controls and direction marks as they are */
export function plainJson(json: string): string {
  return json.replace(STEERING, (char) => (char === '\n' ? char : escaped(char)));
}

const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
