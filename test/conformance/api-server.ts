// A real Kubernetes API: etcd, kube-apiserver and, where wanted, the few controllers of kube-controller-manager that
// Cluster API relies on. Nothing runs Pods; kubelet.ts stands in for that.

import { generateKeyPair } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { HttpsConnection } from '../../adapters/https-connection.ts';
import { parseKubeconfig } from '../../adapters/kubeconfig.ts';
import { issueCertificate, type KeyPair, makeAuthority } from '../../local/kubernetes/certificates.ts';
import type { Processes, RunningProcess } from './processes.ts';

export interface ApiServerOptions {
  readonly processes: Processes;
  /** Paths of the programs. */
  readonly binaries: Readonly<Record<'etcd' | 'kube-apiserver' | 'kube-controller-manager', string>>;
  /** Keys and data; what is there already is used again. */
  readonly folder: string;
  /** An address of this machine; the server listens there alone. Not of the loopback range, which webhooks refuse. */
  readonly address: string;
  readonly port: number;
  /** Of its processes and logs. */
  readonly name?: string;
  /** Further names and addresses for its certificate. */
  readonly names?: readonly string[];
  /** Authorities that somebody else made: of its own certificate, and of its clients'. */
  readonly authorities?: { readonly server: KeyPair; readonly client: KeyPair };
  /** Arguments on top of its own. */
  readonly args?: readonly string[];
  /** Without controllers nothing is collected as garbage, and namespaces stay while they end. */
  readonly controllers?: boolean;
}

export interface RealApiServer {
  /** https://address:port */
  readonly server: string;
  /** The authority of its certificate. */
  readonly caPem: string;
  /** For an administrator, certificates included. */
  readonly kubeconfig: string;
  /** Where its etcd answers. */
  readonly etcdUrl: string;
  /** Ends the API in the middle of whatever it does; `start` brings it back. Safe to repeat. */
  kill(): Promise<void>;
  /** Takes the API away, while its data and everybody else stay. Safe to repeat. */
  stop(): Promise<void>;
  /** Brings the API back; ends when it is ready. Safe to repeat. */
  start(): Promise<void>;
  /** Ends all of its processes, the data's too. */
  end(): Promise<void>;
}

/** Some seconds on an idle machine; on one that does much else a restart took more than a minute. */
const readyLimitMilliseconds = 180_000;
/** kube-apiserver would wait for its watches to end, which nobody ends. */
const patienceMilliseconds = 1_000;
/** Far enough from the ports that API servers have. */
const etcdPortOffset = 20_000;

/** The controllers without which Cluster API and its providers do not get along. */
const controllers = [
  // Owners' dependents go with them, and namespaces end.
  'garbage-collector-controller',
  'namespace-controller',
  // Managers have accounts, and the core manager's role is put together from labelled ones.
  'serviceaccount-controller',
  'clusterrole-aggregation-controller',
];

/** Starts an API and ends when it is ready. */
export async function startApiServer(options: ApiServerOptions): Promise<RealApiServer> {
  const { processes, binaries, folder, address, port, name = 'management' } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = (one: string) => path.join(folder, one);
  const { caPem, admin } = await ensureKeys(options);
  const server = `https://${address}:${port}`;
  const kubeconfig = renderKubeconfig(server, caPem, admin);
  writeFileSync(file('admin.kubeconfig'), kubeconfig, { mode: 0o600 });

  const etcdUrl = `http://${address}:${port + etcdPortOffset}`;
  const peerUrl = `http://${address}:${port + etcdPortOffset + 1}`;
  const etcd = processes.start(`${name}-etcd`, binaries.etcd, [
    '--name=default',
    `--data-dir=${file('etcd')}`,
    `--listen-client-urls=${etcdUrl}`,
    `--advertise-client-urls=${etcdUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=default=${peerUrl}`,
    // The data need not survive this machine.
    '--unsafe-no-fsync',
  ]);
  await untilReady(etcd, () => accepts(address, port + etcdPortOffset));

  const serverArguments = [
    `--etcd-servers=${etcdUrl}`,
    `--bind-address=${address}`,
    `--advertise-address=${address}`,
    `--secure-port=${port}`,
    '--endpoint-reconciler-type=none',
    '--service-cluster-ip-range=10.43.0.0/16',
    `--cert-dir=${file('run')}`,
    `--tls-cert-file=${file('server.crt')}`,
    `--tls-private-key-file=${file('server.key')}`,
    `--client-ca-file=${file('client-ca.crt')}`,
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${file('service-accounts.pub')}`,
    `--service-account-signing-key-file=${file('service-accounts.key')}`,
    '--authorization-mode=Node,RBAC',
    '--allow-privileged=true',
    // Services have no addresses of their own here: webhooks are called at their endpoints.
    '--enable-aggregator-routing=true',
    '--v=1',
    ...(options.args ?? []),
  ];
  const startServer = () =>
    processes.start(`${name}-kube-apiserver`, binaries['kube-apiserver'], serverArguments, {
      patienceMilliseconds,
    });
  const connection = new HttpsConnection(parseKubeconfig(kubeconfig), { timeoutMilliseconds: 2_000 });
  let running: RunningProcess | undefined;
  const start = async () => {
    if (!running?.isRunning()) running = startServer();
    await untilReady(running, async () => {
      const answer = await connection.send({ method: 'GET', path: '/readyz' });
      return answer.code === 200;
    });
  };
  await start();

  const manager =
    options.controllers === false
      ? undefined
      : processes.start(`${name}-kube-controller-manager`, binaries['kube-controller-manager'], [
          `--kubeconfig=${file('admin.kubeconfig')}`,
          `--controllers=${controllers.join(',')}`,
          '--leader-elect=false',
          '--secure-port=0',
          '--v=1',
        ]);

  return {
    server,
    caPem,
    kubeconfig,
    etcdUrl,
    start,
    kill: async () => {
      running?.kill('SIGKILL');
      await running?.ended;
    },
    stop: async () => void (await running?.stop()),
    end: async () => {
      for (const one of [manager, running, etcd]) await one?.stop();
    },
  };
}

/** Makes what the folder has not yet: an authority unless one is given, the server's and the administrator's certificate. */
async function ensureKeys(
  options: ApiServerOptions,
): Promise<{ readonly caPem: string; readonly admin: KeyPair }> {
  const { folder, address, names = [] } = options;
  const file = (one: string) => path.join(folder, one);
  const read = (one: string): KeyPair => ({
    certificate: readFileSync(file(`${one}.crt`), 'utf8'),
    key: readFileSync(file(`${one}.key`), 'utf8'),
  });
  // Written last: with it all the others are there.
  if (!existsSync(file('admin.crt'))) {
    const write = (one: string, text: string) => writeFileSync(file(one), text, { mode: 0o600 });
    const own = options.authorities ? undefined : await makeAuthority('CN=petra-conformance-ca');
    const server = options.authorities?.server ?? own;
    const client = options.authorities?.client ?? own;
    if (!server || !client) throw new Error('an API server needs an authority');
    const serverNames = [
      address,
      'localhost',
      'kubernetes',
      'kubernetes.default',
      'kubernetes.default.svc',
      ...names,
    ];
    const [serving, admin, serviceAccounts] = await Promise.all([
      issueCertificate({ subject: 'CN=kube-apiserver', names: serverNames }, server),
      issueCertificate({ subject: 'CN=petra-conformance, O=system:masters' }, client),
      promisify(generateKeyPair)('ec', {
        namedCurve: 'P-256',
        publicKeyEncoding: { type: 'spki', format: 'pem' },
        // The one form of elliptic keys that kube-apiserver reads besides RSA's.
        privateKeyEncoding: { type: 'sec1', format: 'pem' },
      }),
    ]);
    write('server-ca.crt', server.certificate);
    write('client-ca.crt', client.certificate);
    write('server.key', serving.key);
    write('server.crt', serving.certificate);
    write('service-accounts.key', serviceAccounts.privateKey);
    write('service-accounts.pub', serviceAccounts.publicKey);
    write('admin.key', admin.key);
    write('admin.crt', admin.certificate);
  }
  return { caPem: readFileSync(file('server-ca.crt'), 'utf8'), admin: read('admin') };
}

function renderKubeconfig(server: string, caPem: string, admin: KeyPair): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'default', cluster: { server, 'certificate-authority-data': base64(caPem) } }],
    users: [
      {
        name: 'default',
        user: {
          'client-certificate-data': base64(admin.certificate),
          'client-key-data': base64(admin.key),
        },
      },
    ],
    contexts: [{ name: 'default', context: { cluster: 'default', user: 'default' } }],
    'current-context': 'default',
  });
}

/** @throws when the process ends, or takes too long */
async function untilReady(running: RunningProcess, isReady: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + readyLimitMilliseconds;
  while (running.isRunning() && Date.now() < deadline) {
    if (await isReady().catch(() => false)) return;
    await sleep(50);
  }
  const tail = readFileSync(running.log, 'utf8').slice(-2_000);
  throw new Error(`${running.name} ${running.isRunning() ? 'is not ready in time' : 'ended'}: ${tail}`);
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
