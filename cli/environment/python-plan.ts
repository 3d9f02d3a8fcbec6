// Which Python runs an application: a decision over what was found, as a table. Pure; what is found is looked at in python.ts.

/** What a virtual environment that we made says of itself, in a file inside it. */
export interface Stamp {
  /** `making` is left by a run that was interrupted. */
  readonly state: 'making' | 'ready';
  /** Over the requirements that are installed. */
  readonly hash: string;
  /** Process that makes it. */
  readonly pid: number;
}

export interface Requirements {
  /** Absolute folder that holds them; the virtual environment is made in it. */
  readonly folder: string;
  /** `requirements.txt` or `pyproject.toml`. */
  readonly file: string;
  readonly hash: string;
  /** For `pip install`. */
  readonly installArguments: readonly string[];
}

export interface PythonFacts {
  /** The environment that is active in the shell, with its interpreter if that is there. */
  readonly active?: {
    readonly variable: 'VIRTUAL_ENV' | 'CONDA_PREFIX';
    readonly path: string;
    readonly python?: string;
  };
  /** `.venv` or `venv` beside the application. */
  readonly beside?: { readonly path: string; readonly python?: string; readonly stamp?: Stamp };
  readonly requirements?: Requirements;
  /** `python3` on the PATH, resolved, with its version. */
  readonly onPath?: { readonly python: string; readonly version: readonly [number, number] };
}

export type PythonPlan =
  | { readonly kind: 'use'; readonly python: string; readonly environment?: string; readonly why: string }
  | {
      readonly kind: 'install';
      readonly requirements: Requirements;
      readonly environment: string;
      /** Interpreter that makes the environment; absent when it is there and only its packages are old. */
      readonly makeWith?: string;
      readonly why: string;
    }
  | { readonly kind: 'trouble'; readonly message: string; readonly mend: string };

/** The oldest Python that the worker's adapter runs on. */
export const OLDEST: readonly [number, number] = [3, 8];

/** An active environment goes first, then the one beside the application, then one that we make, then the system's Python. */
export function planPython(facts: PythonFacts): PythonPlan {
  const { active, beside, requirements } = facts;
  if (active?.python !== undefined) {
    const why = `the active environment (${active.variable})`;
    return { kind: 'use', python: active.python, environment: active.path, why };
  }
  if (beside && !beside.stamp) return planTheirs(beside);
  if (beside?.stamp && beside.python !== undefined && beside.stamp.state === 'ready') {
    if (requirements && requirements.hash !== beside.stamp.hash) {
      const why = `${requirements.file} has changed`;
      return { kind: 'install', requirements, environment: beside.path, why };
    }
    return { kind: 'use', python: beside.python, environment: beside.path, why: 'the environment beside it' };
  }
  return planFromPath(facts);
}

function planTheirs(beside: NonNullable<PythonFacts['beside']>): PythonPlan {
  if (beside.python !== undefined) {
    return { kind: 'use', python: beside.python, environment: beside.path, why: 'the environment beside it' };
  }
  return {
    kind: 'trouble',
    message: `${beside.path} holds no Python that runs`,
    mend: 'make it again, or remove it and it will be made from the requirements',
  };
}

function planFromPath({ beside, requirements, onPath }: PythonFacts): PythonPlan {
  if (!onPath) {
    return {
      kind: 'trouble',
      message: 'there is no Python here: python3 is not on the PATH',
      mend: 'install Python 3 (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python), or activate an environment that has it',
    };
  }
  const [major, minor] = onPath.version;
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    return {
      kind: 'trouble',
      message: `${onPath.python} is Python ${major}.${minor}, which is too old`,
      mend: `install Python ${OLDEST.join('.')} or newer, or activate an environment that has it`,
    };
  }
  if (!requirements) return { kind: 'use', python: onPath.python, why: 'python3 on the PATH' };
  const environment = beside?.path ?? `${requirements.folder}/.venv`;
  const why = beside ? 'an earlier run was interrupted' : `from ${requirements.file}`;
  return { kind: 'install', requirements, environment, makeWith: onPath.python, why };
}
