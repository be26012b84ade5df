// Cluster specs as commands are given them: `-f FILE`, `-f -`, or just the name of a cluster.
// Imported lazily by commands: it brings the YAML parser and the schema.

import { createReadStream } from 'node:fs';
import { parseClusterSpec } from '../core/capi/cluster-spec.ts';
import { formatProblems, type SpecProblem } from '../core/capi/spec-problem.ts';
import type { ClusterSpec } from '../core/capi/spec-schema.ts';
import { PetraError } from '../core/errors.ts';
import type { ClusterKind } from '../core/fleet.ts';

/** How a spec file is named in messages. */
export function shownFile(file: string): string {
  return file === '-' ? 'stdin' : file;
}

/** No spec is near this size; a larger file is some other file given by mistake. */
const sizeLimitBytes = 1024 * 1024;

/** Everything a stream has, however endless it is: a device, a pipe, or a file that grows. */
async function readLimited(stream: AsyncIterable<Buffer | string>, shown: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > sizeLimitBytes) {
      throw new PetraError('FileUnreadable', `${shown} is larger than 1 MiB, which no cluster spec is`, {
        fix: 'Give the file of a single cluster spec.',
      });
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'you may not read it',
  ENOTDIR: 'a part of its path is not a folder',
};

/**
 * The bytes of a file, or of stdin for `-`.
 * @throws FileUnreadable
 */
export async function readInput(file: string): Promise<Buffer> {
  if (file === '-') {
    if (process.stdin.isTTY) {
      throw new PetraError('FileUnreadable', '-f - reads the spec from stdin, and stdin is a terminal', {
        fix: 'Pipe a spec into the command, or give a file.',
      });
    }
    return await readLimited(process.stdin, shownFile(file));
  }
  try {
    return await readLimited(createReadStream(file), file);
  } catch (cause) {
    if (cause instanceof PetraError) throw cause;
    const reason = cause instanceof Error && 'code' in cause ? reasons[String(cause.code)] : undefined;
    throw new PetraError('FileUnreadable', `cannot read ${file}${reason ? `: ${reason}` : ''}`, { cause });
  }
}

/**
 * A valid spec from a file. `expect` refuses the other kind, naming the command it is for.
 * @throws FileUnreadable, InvalidSpec
 */
export async function readSpec(file: string, expect?: ClusterKind): Promise<ClusterSpec> {
  const bytes = await readInput(file);
  return parseClusterSpec(bytes, { file: shownFile(file), ...(expect === undefined ? {} : { expect }) });
}

interface SpecProblems {
  readonly file: string;
  readonly problems: readonly SpecProblem[];
}

function isSpecProblems(details: unknown): details is SpecProblems {
  return (
    typeof details === 'object' &&
    details !== null &&
    'file' in details &&
    typeof details.file === 'string' &&
    'problems' in details &&
    Array.isArray(details.problems)
  );
}

/** The problems in the details of `InvalidSpec`, one a line; empty when there are none. */
export function formatSpecProblems(details: unknown): string {
  return isSpecProblems(details) ? formatProblems(details.file, details.problems) : '';
}
