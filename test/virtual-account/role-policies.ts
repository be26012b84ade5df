// What a role may do, by its policies: the part of IAM's evaluation that Petra's policies use.
// Evaluated: Allow and Deny, action and resource patterns, conditions on keys that the caller knows. A resource or a key
// that a request does not tell counts as fitting: this refuses what is certainly not allowed, and no more.

export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export interface Question {
  /** `ec2:RunInstances` */
  readonly action: string;
  readonly resource?: string;
  /** Condition keys whose value is known. A name that ends in `*` says of all keys that begin so what they are. */
  readonly keys: Readonly<Record<string, readonly string[]>>;
}

/** Reads a policy document. @throws Error for elements that this evaluation does not know */
export function readStatements(document: unknown): readonly Statement[] {
  const parsed: unknown = typeof document === 'string' ? JSON.parse(decode(document)) : document;
  // A policy that AWS would take has this form.
  const { Statement: statements } = parsed as { Statement: unknown };
  return list(statements).map((statement) => {
    const { Sid, Effect, Action, Resource, Condition, ...rest } = statement as Record<string, unknown>;
    const unknown = Object.keys(rest);
    if (unknown.length > 0 || (Effect !== 'Allow' && Effect !== 'Deny'))
      throw new Error(`statement ${String(Sid ?? '')}: cannot evaluate ${unknown.join(', ') || Effect}`);
    return {
      effect: Effect,
      actions: list(Action).map(String),
      resources: list(Resource).map(String),
      conditions: (Condition ?? {}) as Statement['conditions'],
    };
  });
}

function list(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

/** IAM gives documents percent-encoded. */
function decode(document: string): string {
  return document.trimStart().startsWith('{') ? document : decodeURIComponent(document);
}

/** Whether these statements allow it: none denies, and one allows. */
export function isAllowed(statements: readonly Statement[], question: Question): boolean {
  const fitting = statements.filter((statement) => fits(statement, question));
  return fitting.some(({ effect }) => effect === 'Allow') && !fitting.some(({ effect }) => effect === 'Deny');
}

function fits({ actions, resources, conditions, effect }: Statement, question: Question): boolean {
  const { action, resource, keys } = question;
  if (!actions.some((pattern) => matches(pattern.toLowerCase(), action.toLowerCase()))) return false;
  if (resource !== undefined && !resources.some((pattern) => matches(pattern, resource))) return false;
  if (resource === undefined && effect === 'Deny' && !resources.includes('*')) return false;
  for (const [operator, expected] of Object.entries(conditions)) {
    for (const [key, values] of Object.entries(expected)) {
      const known = knownValue(keys, key);
      if (known === undefined) {
        if (effect === 'Deny') return false;
        continue;
      }
      if (
        !holds(
          operator,
          known,
          list(values).flatMap((value) => filledIn(String(value), keys)),
        )
      )
        return false;
    }
  }
  return true;
}

function knownValue(keys: Question['keys'], wanted: string): readonly string[] | undefined {
  const entries = Object.entries(keys).map(([key, value]) => [key.toLowerCase(), value] as const);
  const name = wanted.toLowerCase();
  const exact = entries.find(([key]) => key === name);
  const family = entries.find(([key]) => key.endsWith('*') && name.startsWith(key.slice(0, -1)));
  return (exact ?? family)?.[1];
}

/** With the values of policy variables; nothing where one is not known. */
function filledIn(text: string, keys: Question['keys']): readonly string[] {
  let isKnown = true;
  const filled = text.replace(/\$\{([^}]+)\}/g, (_, name: string) => {
    const value = knownValue(keys, name)?.[0];
    isKnown &&= value !== undefined;
    return value ?? '';
  });
  return isKnown ? [filled] : [];
}

function holds(operator: string, known: readonly string[], expected: readonly string[]): boolean {
  const all = operator.startsWith('ForAllValues:');
  const name = operator.replace(/^ForA(?:ll|ny)Values?:/, '');
  const one = (value: string) => {
    switch (name.replace(/IfExists$/, '')) {
      case 'StringEquals':
      case 'Bool':
        return expected.includes(value);
      case 'StringNotEquals':
        return !expected.includes(value);
      case 'StringLike':
      // Both ARN operators take wildcards.
      case 'ArnEquals':
      case 'ArnLike':
        return expected.some((pattern) => matches(pattern, value));
      case 'StringNotLike':
        return !expected.some((pattern) => matches(pattern, value));
      default:
        throw new Error(`cannot evaluate the condition ${operator}`);
    }
  };
  if (name === 'Null') return expected.includes(String(known.length === 0));
  if (all || name.startsWith('StringNot') || name.endsWith('IfExists')) return known.every(one);
  return known.some(one);
}

function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(text);
}
