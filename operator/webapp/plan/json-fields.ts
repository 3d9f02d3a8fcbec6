// Reading fields of objects as the API server has them: whatever is not of the kind asked for counts as not there.

export type Fields = Readonly<Record<string, unknown>>;

/** @returns `value` when it is a mapping, else an empty one */
export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** @returns the entry of `type` in `status.conditions` that is True or False as `status` says, if there is one */
export function conditionOf(
  object: Fields,
  type: string,
): { status: string; reason: string; message: string } | undefined {
  for (const entry of listOf(fieldsOf(object['status'])['conditions'])) {
    const condition = fieldsOf(entry);
    if (condition['type'] !== type) continue;
    return {
      status: textOf(condition['status']) ?? 'Unknown',
      reason: textOf(condition['reason']) ?? '',
      message: textOf(condition['message']) ?? '',
    };
  }
  return undefined;
}
