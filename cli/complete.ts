// What can come next on a command line, worked out from the definitions of the commands themselves.

import type { Command, Option } from 'commander';

/** What only a running Petra, or AWS, knows. */
export interface Names {
  clusters(kind?: 'workload' | 'management'): Promise<readonly string[]>;
  operations(): Promise<readonly string[]>;
  /** Of the AWS configuration. */
  profiles(): Promise<readonly string[]>;
  /** Stacks of Petra in an AWS account. */
  stacks(): Promise<readonly string[]>;
}

export interface Candidate {
  readonly value: string;
  readonly description: string;
}

export interface Completion {
  readonly candidates: readonly Candidate[];
  /** Whether file names fit, too. */
  readonly files: boolean;
}

const fileOptions = new Set(['--file', '--state', '--merge']);
const nothing: Completion = { candidates: [], files: false };

/** Candidates for the last of `words`, which are the words after `petra` up to the cursor. */
export async function complete(
  program: Command,
  words: readonly string[],
  names: Names,
): Promise<Completion> {
  const { line, isSplit } = joinAssignments(words);
  const current = line.at(-1) ?? '';
  const position = walk(program, line.slice(0, -1));

  const assignment = /^(--[^=]+)=(.*)$/s.exec(current);
  if (assignment) {
    const [, flag = '', value = ''] = assignment;
    const option = findOption(position.command, flag);
    if (!option) return nothing;
    const found = matching(await optionValues(option, names), value);
    // bash has split the word at the equals sign and replaces only what follows it.
    return isSplit ? found : prefixed(found, `${flag}=`);
  }
  if (position.awaiting) return matching(await optionValues(position.awaiting, names), current);
  if (current.startsWith('-') && !position.onlyOperands) return matching(options(position), current);
  return matching(await operands(position, names), current);
}

/** bash takes `--output=json` apart into three words. */
function joinAssignments(words: readonly string[]): {
  readonly line: readonly string[];
  readonly isSplit: boolean;
} {
  const line: string[] = [];
  let isSplit = false;
  for (const word of words) {
    const last: string = line.at(-1) ?? '';
    const opens = word === '=' && last.startsWith('--');
    const follows: boolean = isSplit && last.endsWith('=');
    isSplit = opens || follows;
    if (isSplit) line[line.length - 1] = `${last}${word}`;
    else line.push(word);
  }
  return { line, isSplit };
}

interface Position {
  readonly command: Command;
  /** How many operands the command has so far. */
  readonly operands: number;
  readonly used: ReadonlySet<Option>;
  /** The option whose value comes next. */
  readonly awaiting: Option | undefined;
  readonly onlyOperands: boolean;
}

function walk(program: Command, words: readonly string[]): Position {
  let command = program;
  let count = 0;
  let awaiting: Option | undefined;
  let onlyOperands = false;
  const used = new Set<Option>();
  for (const word of words) {
    if (awaiting && !(awaiting.optional && word.startsWith('-'))) {
      awaiting = undefined;
      continue;
    }
    awaiting = undefined;
    if (onlyOperands || !word.startsWith('-') || word === '-') {
      const child = count === 0 ? findCommand(command, word) : undefined;
      if (child) command = child;
      else count++;
    } else if (word === '--') {
      onlyOperands = true;
    } else {
      const option = findOption(command, word.split('=')[0] ?? word);
      if (option) used.add(option);
      if (option && (option.required || option.optional) && !word.includes('=')) awaiting = option;
    }
  }
  return { command, operands: count, used, awaiting, onlyOperands };
}

function isHidden(command: Command): boolean {
  return command.name().startsWith('__');
}

function findCommand(parent: Command, word: string): Command | undefined {
  return parent.commands.find(
    (command) => !isHidden(command) && (command.name() === word || command.aliases().includes(word)),
  );
}

function findOption(command: Command, flag: string): Option | undefined {
  return command.options.find((option) => option.long === flag || option.short === flag);
}

function options({ command, used }: Position): Completion {
  const candidates = command
    .createHelp()
    .visibleOptions(command)
    .filter((option) => !used.has(option) || option.long === '--fault')
    .flatMap((option) => (option.long ? [{ value: option.long, description: option.description }] : []));
  return { candidates, files: false };
}

async function optionValues(option: Option, names: Names): Promise<Completion> {
  if (option.argChoices) return plain(option.argChoices);
  if (fileOptions.has(option.long ?? '')) return { candidates: [], files: true };
  if (option.long === '--profile') return plain(await names.profiles());
  if (option.long === '--management') return plain(await names.clusters('management'));
  if (option.long === '--cluster') return plain(await names.clusters());
  return nothing;
}

async function operands(position: Position, names: Names): Promise<Completion> {
  const { command } = position;
  if (command.commands.length > 0) {
    if (position.operands > 0) return nothing;
    const candidates = command.commands
      .filter((child) => !isHidden(child))
      .map((child) => ({ value: child.name(), description: child.summary() || child.description() }));
    return { candidates, files: false };
  }
  const argument = command.registeredArguments[position.operands];
  if (argument?.argChoices) return plain(argument.argChoices);
  if (argument?.name() === 'stack') return plain(await names.stacks());
  if (argument?.name() === 'id') return plain(await names.operations());
  // A cluster is given by name or by file, never by both.
  const hasFile = [...position.used].some((option) => option.long === '--file');
  if (argument?.name() === 'name' && !hasFile) return plain(await names.clusters(kindFor(command.name())));
  return nothing;
}

function kindFor(verb: string): 'workload' | 'management' | undefined {
  if (verb === 'delete') return 'workload';
  return verb === 'destroy' ? 'management' : undefined;
}

function plain(values: readonly string[]): Completion {
  return { candidates: values.map((value) => ({ value, description: '' })), files: false };
}

function matching(completion: Completion, prefix: string): Completion {
  return {
    ...completion,
    candidates: completion.candidates.filter((candidate) => candidate.value.startsWith(prefix)),
  };
}

function prefixed(completion: Completion, prefix: string): Completion {
  return {
    ...completion,
    candidates: completion.candidates.map((one) => ({ ...one, value: `${prefix}${one.value}` })),
  };
}
