import type { Command } from 'commander';
import type { ApiClient } from '../api-client.ts';
import type { Names } from '../complete.ts';
import { type ConnectionOptions, clientFor } from '../connect.ts';
import type { Context } from '../context.ts';

/** Nobody waits longer for a tab. */
const limitMilliseconds = 1500;

/** `petra __complete`: called by the completion scripts. Starts nothing, and never fails: no candidates instead. */
export function registerComplete(parent: Command, context: Context): void {
  parent
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .helpOption(false)
    .action(async (words: string[]) => {
      // Without the limit's timer, a Petra that does not answer would hold the shell.
      const timer = setTimeout(() => process.exit(0), limitMilliseconds);
      const { complete } = await import('../complete.ts');
      const { buildProgram } = await import('../program.ts');
      const program = await buildProgram(context);
      const completion = await complete(program, words, namesOf(words, context));
      const lines = completion.candidates.map(({ value, description }) =>
        description === '' ? value : `${value}\t${description}`,
      );
      if (completion.files) lines.push(':files');
      if (lines.length > 0) context.output.result(lines.join('\n'));
      clearTimeout(timer);
    });
}

/** Which Petra the words already name. */
function connectionOf(words: readonly string[]): ConnectionOptions {
  const after = (flag: string) => {
    const index = words.indexOf(flag);
    return index === -1
      ? words.find((word) => word.startsWith(`${flag}=`))?.slice(flag.length + 1)
      : words[index + 1];
  };
  const [endpoint, profile, region, state] = ['--endpoint', '--profile', '--region', '--state'].map(after);
  return {
    local: words.includes('--local'),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(profile === undefined ? {} : { profile }),
    ...(region === undefined ? {} : { region }),
    ...(state === undefined ? {} : { state }),
  };
}

function namesOf(words: readonly string[], context: Context): Names {
  const ask = async <T>(list: (api: ApiClient) => Promise<readonly T[]>): Promise<readonly T[]> => {
    try {
      return await list(clientFor(connectionOf(words), context));
    } catch {
      return [];
    }
  };
  return {
    clusters: async (kind) =>
      (await ask((api) => api.clusters(kind === undefined ? {} : { kind }))).map((cluster) => cluster.name),
    operations: async () =>
      (await ask((api) => api.operations({ most: 100 }))).map((operation) => operation.id),
    profiles: async () => await (await import('../aws-profiles.ts')).profileNames().catch(() => []),
    stacks: async () => {
      const { StackFinder } = await import('../stack-finder.ts');
      return await new StackFinder(connectionOf(words), context).names().catch(() => []);
    },
  };
}
