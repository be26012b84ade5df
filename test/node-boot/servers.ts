// The servers that a node in the sandbox talks to: the instance's metadata, a place with k3s releases, and perhaps another
// server of its cluster. Started by sandbox.sh in the sandbox's network; argument: the machine's folder.

import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import path from 'node:path';
import { Certificates } from '../../local/kubernetes/certificates.ts';
import { instanceId, releasePort, releaseVersion } from './cloud.ts';

const machine = process.argv[2] ?? '';
const cloud = path.join(machine, 'root/cloud');
const binary = readFileSync(path.join(import.meta.dirname, 'stand-ins/k3s'));

function serveMetadata(request: IncomingMessage, response: ServerResponse): void {
  const { method, url, headers } = request;
  if (method === 'PUT' && url === '/latest/api/token' && headers['x-aws-ec2-metadata-token-ttl-seconds']) {
    response.end('a-session-token');
  } else if (headers['x-aws-ec2-metadata-token'] !== 'a-session-token') {
    response.writeHead(401).end();
  } else if (url === '/latest/meta-data/instance-id') {
    response.end(instanceId);
  } else {
    response.writeHead(404).end();
  }
}

/** What is wrong with the download, and how often it still is: `cloud/release` holds `KIND TIMES`. */
function nextFault(): string {
  const file = path.join(cloud, 'release');
  if (!existsSync(file)) return '';
  const [kind = '', times = '0'] = readFileSync(file, 'utf8').split(' ');
  writeFileSync(file, `${kind} ${Math.max(Number(times) - 1, 0)}`);
  return Number(times) > 0 ? kind : '';
}

function serveRelease(request: IncomingMessage, response: ServerResponse): void {
  const url = request.url ?? '';
  appendFileSync(path.join(cloud, 'downloads'), `${url}\n`);
  const folder = `/k3s/${encodeURIComponent(releaseVersion)}/`;
  const name = url.startsWith(folder) ? url.slice(folder.length) : '';
  if (/^sha256sum-(amd64|arm64)\.txt$/.test(name)) {
    const sum = createHash('sha256').update(binary).digest('hex');
    // Names that end like that of the binary are others.
    if (existsSync(path.join(cloud, 'unnamed'))) response.end(`${sum}  not-k3s\n${sum}  not-k3s-arm64\n`);
    else response.end(`${sum}  k3s\n${sum}  k3s-arm64\n${sum}  k3s-airgap-images.tar.gz\n`);
  } else if (name === 'k3s' || name === 'k3s-arm64') {
    const fault = nextFault();
    if (fault === 'missing') response.writeHead(404).end('Not Found');
    else if (fault === 'altered') response.end(Buffer.concat([binary, Buffer.from('# altered\n')]));
    else if (fault === 'cut') {
      response.writeHead(200, { 'content-length': binary.length });
      response.write(binary.subarray(0, 100), () => response.destroy());
    } else response.end(binary);
  } else response.writeHead(404).end('Not Found');
}

async function listen(server: ReturnType<typeof createServer>, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
}

if (!existsSync(path.join(cloud, 'no-metadata')))
  await listen(createServer(serveMetadata), 80, '169.254.169.254');
await listen(createServer(serveRelease), releasePort, '127.0.0.1');
if (existsSync(path.join(cloud, 'peer-answers'))) {
  const { certificate, key } = await new Certificates(path.join(machine, 'certificates')).server();
  const peer = createTlsServer({ cert: certificate, key }, (_, response) => response.end('pong'));
  await listen(peer, 6443, '10.0.0.12');
}
writeFileSync(path.join(machine, 'listening'), '');
