// Writes the lists of settings in docs/profile-standard.md from core; the text around them is written by hand.

import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { NodeFile } from '../core/capi/node-file.ts';
import { type SecuritySetting, standardProfile } from '../core/capi/profile-standard.ts';
import { managementProfile } from '../core/management/k3s-user-data.ts';

const sections: readonly (readonly [string, readonly SecuritySetting[]])[] = [
  ['settings of all clusters', standardProfile],
  ['settings of management nodes', managementProfile.filter((setting) => !standardProfile.includes(setting))],
];

/** The page with its lists brought up to date. Repeating it changes nothing. */
export function renderProfileDoc(page: string): string {
  return sections.reduce((text, [title, settings]) => {
    const begin = `<!-- ${title}: written by scripts/generate-profile-doc.ts -->`;
    const end = `<!-- end of ${title} -->`;
    const start = text.indexOf(begin);
    const stop = text.indexOf(end);
    if (start === -1 || stop < start)
      throw new Error(`docs/profile-standard.md lacks the lines ${begin} and ${end}`);
    return `${text.slice(0, start)}${begin}\n\n${settings.map(renderSetting).join('\n\n')}\n\n${text.slice(stop)}`;
  }, page);
}

function renderSetting(setting: SecuritySetting): string {
  const lists: readonly (readonly [string, readonly string[]])[] = [
    ['k3s on all nodes', configLines(setting.nodeConfig)],
    ['k3s on servers', configLines(setting.serverConfig)],
    ['API server', setting.apiServerArgs ?? []],
    ['kubelet', setting.kubeletArgs ?? []],
    ['run on all nodes', setting.nodeCommands ?? []],
    ['run on servers', setting.serverCommands ?? []],
  ];
  const measures = renderLists(lists);
  const files = [
    ...(setting.nodeFiles ?? []).map((file) => renderFile(file, 'all nodes')),
    ...(setting.serverFiles ?? []).map((file) => renderFile(file, 'servers')),
  ];
  return [`### ${setting.name}`, setting.reason, ...(measures ? [measures] : []), ...files].join('\n\n');
}

function renderLists(lists: readonly (readonly [string, readonly string[]])[]): string {
  return lists
    .filter(([, values]) => values.length > 0)
    .map(([where, values]) => `- ${where}: ${values.map((value) => `\`${value}\``).join(', ')}`)
    .join('\n');
}

function configLines(config: SecuritySetting['nodeConfig']): readonly string[] {
  return Object.entries(config ?? {}).map(([key, value]) => `${key}: ${value}`);
}

function renderFile({ path, permissions, content }: NodeFile, where: string): string {
  return `\`${path}\` (${permissions}, on ${where}):\n\n\`\`\`\n${content.trimEnd()}\n\`\`\``;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const file = new URL('../docs/profile-standard.md', import.meta.url);
  writeFileSync(file, renderProfileDoc(readFileSync(file, 'utf8')));
}
