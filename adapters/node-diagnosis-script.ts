import { joinTokenPath } from '../core/management/node-script.ts';
import { nodeUnit } from '../core/management/node-units.ts';

const journalLines = 20;
const lineLength = 300;

/** Instead of a line of which one cannot be sure. */
const hidden = '(a line that may hold a secret is left out)';

/** Extended regular expressions for the lower-case text of a line, without apostrophes: they go into a shell's quotes. */
const suspicious = [
  '(token|password|secret)=',
  '"(token|password|secret)":',
  'bearer [^ ]',
  // The beginning of every token that k3s makes.
  'k10[0-9a-f]+::',
  'private key',
].join('|');

/**
 * What Petra asks a node: fixed text that only reads. Systems Manager keeps what it answers for 30 days, and it becomes
 * evidence of an operation, so secrets are held back on the machine already: neither k3s nor Petra's script is known
 * to log one, but nobody checks each release of k3s for it.
 */
export function nodeDiagnosisScript(tokenFile: string = joinTokenPath): string {
  const [petra, k3s] = [nodeUnit, 'k3s.service'];
  const journal = `journalctl --no-pager --output=short-iso --lines=${journalLines} --unit`;
  return `{
  systemctl show --property=Id,ActiveState,SubState,Result,ExecMainStatus,NRestarts ${petra} ${k3s}
  echo "end of the journal of ${petra}:"
  ${journal}=${petra}
  echo "end of the journal of ${k3s}:"
  ${journal}=${k3s}
  df -h /
  free -m
} 2>&1 | awk -v token_file=${tokenFile} '
BEGIN { if ((getline token < token_file) < 1) token = "" }
(token != "" && index($0, token)) || tolower($0) ~ /${suspicious}/ { print "${hidden}"; next }
{ print substr($0, 1, ${lineLength}) }
'`;
}
