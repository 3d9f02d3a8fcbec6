// What commands tell for software: JSON and YAML. Whole, and harmless to a terminal all the same. Pure.
import { Document, visit } from 'yaml';
import { plainJson, plainText } from '../terminal/plain.ts';

export function jsonText(value: unknown): string {
  return `${plainJson(JSON.stringify(value, null, 2))}\n`;
}

/** What holds more than letters is quoted, where YAML has the same escapes as JSON. */
export function yamlText(value: unknown): string {
  const document = new Document(JSON.parse(JSON.stringify(value)), { aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (_, node) => {
      if (typeof node.value === 'string' && plainText(node.value) !== node.value) node.type = 'QUOTE_DOUBLE';
    },
  });
  return plainJson(document.toString({ lineWidth: 0 }));
}
