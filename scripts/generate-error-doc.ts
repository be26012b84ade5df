// Writes docs/errors.md from the catalogue in core/errors.ts; the text around the tables is here.

import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { type ErrorCode, errorCatalogue } from '../core/errors.ts';
import type { Failure } from '../core/fleet.ts';
import { exitCodeTable } from './exit-codes.ts';

const sources: readonly {
  readonly source: Failure['source'];
  readonly title: string;
  readonly text: string;
}[] = [
  {
    source: 'user',
    title: 'The caller can act',
    text: 'Something about the command, its file or the state of the fleet. Nothing is broken.',
  },
  {
    source: 'aws',
    title: 'AWS says no',
    text: 'Capacity, quotas, permissions, machines. Whoever looks after the account can act.',
  },
  {
    source: 'kubernetes',
    title: 'A Kubernetes cluster says no',
    text: "The management cluster's API, its controllers, or a cluster they build. The evidence tells which.",
  },
  {
    source: 'petra',
    title: 'Petra itself, or what it needs to run',
    text: 'Its API, its storage, the repository of releases. Whoever runs Petra can act.',
  },
];

const intro = `# Errors

Every failure that Petra names, with what to do about it. The codes are stable: a script may depend on them, and a code is
never given another meaning. This page is written by \`scripts/generate-error-doc.ts\` from \`core/errors.ts\`.

## How an error looks

For people, on standard error: what happened, then why, what was seen, and what to do. The code is in brackets.

\`\`\`text
error: "petra-mgmt" still has 1 workload cluster: workload-dev [WorkloadClustersExist]
  clusters: workload-dev
fix: Delete them first, or add --cascade to delete them and wait.
\`\`\`

With \`-o json\` it is one line of JSON, the last one on standard error, so that standard output holds a result or nothing.
Spread out, it is:

\`\`\`json
{
  "type": "https://petra.sh/errors/WorkloadClustersExist",
  "title": "The management cluster still has workload clusters; without it, nothing could remove their AWS resources.",
  "status": 409,
  "code": "WorkloadClustersExist",
  "message": "\\"petra-mgmt\\" still has 1 workload cluster: workload-dev",
  "fix": "Delete them first, or add --cascade to delete them and wait.",
  "retryable": false,
  "source": "user",
  "details": { "clusters": ["workload-dev"] },
  "exitCode": 4
}
\`\`\`

| member | meaning |
|---|---|
| \`code\` | the name from this page |
| \`message\` | this case, with the value that was wrong |
| \`fix\` | what to do, for this case where it is known, else as on this page |
| \`retryable\` | whether the same command may succeed later with nothing changed |
| \`source\` | who can act: \`user\`, \`aws\`, \`kubernetes\`, \`petra\` |
| \`evidence\` | what was seen at the time: conditions, the end of a console; absent when there is none |
| \`causes\` | messages of the errors underneath, outermost first; absent when there are none |
| \`details\` | particulars for a program: names, differences, the problems of a file |
| \`title\`, \`type\`, \`status\` | the code in the terms of RFC 9457; the HTTP API answers with the same document as \`application/problem+json\` |
| \`exitCode\` | the CLI only |

The failure of an operation that has ended is kept with it, with the state in which it happened:
\`petra capi operations ID -o json\`.

## Exit codes

`;

/** The whole page. The same catalogue gives the same page. */
export function renderErrorDoc(): string {
  return `${intro}${exitCodeTable()}\n\n${sources.map(renderSource).join('\n')}`;
}

function renderSource({ source, title, text }: (typeof sources)[number]): string {
  const codes = allCodes().filter((code) => errorCatalogue[code].source === source);
  return `## ${title}\n\nSource \`${source}\`. ${text}\n\n${codes.map(renderCode).join('\n')}`;
}

function renderCode(code: ErrorCode): string {
  const { cause, fix, exit, status, retryable } = errorCatalogue[code];
  const repeat = retryable ? 'yes' : 'no';
  return `### ${code}

${cause}

**What to do:** ${fix}

Exit code ${exit}, HTTP status ${status}. The same command may simply be repeated: ${repeat}.
`;
}

/** Every code, in alphabetical order. */
export function allCodes(): ErrorCode[] {
  return Object.keys(errorCatalogue).filter(isCode).toSorted();
}

function isCode(name: string): name is ErrorCode {
  return Object.hasOwn(errorCatalogue, name);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(new URL('../docs/errors.md', import.meta.url), renderErrorDoc());
}
