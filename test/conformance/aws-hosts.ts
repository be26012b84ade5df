// The hosts of AWS in the sandbox: the names that its SDKs ask by themselves, with certificates of an authority of their
// own, in front of the edge of the virtual account. So CAPA needs no argument that leads it elsewhere; the one that it
// has for this, `--service-endpoints`, is lost on those of its controllers that look after machines
// (controllers/awsmachine_controller.go, getInfraCluster).

import { createServer } from 'node:https';
import { issueCertificate, makeAuthority } from '../../local/kubernetes/certificates.ts';
import { forwardTo, readWhole, sendWhole } from '../virtual-account/forwarding.ts';
import { listenOn, stopServer } from '../virtual-account/loopback.ts';

const regional = [
  'autoscaling',
  'ec2',
  'eks',
  'elasticloadbalancing',
  'events',
  's3',
  'secretsmanager',
  'sqs',
  'ssm',
  'sts',
  'tagging',
];
const global = ['iam', 'sts'];

/** Where nothing else is, on any machine whose loopback range is its own. */
const inSandbox = { address: '127.0.0.2', port: 443 };

export interface AwsHosts {
  readonly names: readonly string[];
  /** All names lead there. */
  readonly address: string;
  readonly port: number;
  /** The certificate (PEM) that whoever asks must trust. */
  readonly authority: string;
  stop(): Promise<void>;
}

/** @param edgeUrl where calls are answered, whatever their service */
export async function startAwsHosts(
  edgeUrl: string,
  region: string,
  { address, port } = inSandbox,
): Promise<AwsHosts> {
  const names = [
    ...regional.map((service) => `${service}.${region}.amazonaws.com`),
    ...global.map((service) => `${service}.amazonaws.com`),
  ];
  const authority = await makeAuthority('CN=authority of the stand-in for AWS');
  const own = await issueCertificate({ subject: 'CN=stand-in for AWS', names }, authority);
  const server = createServer({ cert: own.certificate, key: own.key }, (incoming, response) => {
    readWhole(incoming)
      .then((wire) => forwardTo(edgeUrl, wire))
      .then(
        (answer) => sendWhole(response, answer),
        // As the edge does with what must not be answered.
        () => response.destroy(),
      );
  });
  return {
    names,
    address,
    port: await listenOn(server, { address, port }),
    authority: authority.certificate,
    stop: () => stopServer(server),
  };
}
