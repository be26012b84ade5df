// What is Kubernetes in a virtual account: whoever opens one chooses.

import type { NodeKubernetes } from './management-nodes.ts';
import type { Credentials } from './principals.ts';

export interface AccountKubernetes {
  /** What machines make of themselves. */
  readonly nodes: NodeKubernetes;
  /** Where every Kubernetes API listens that functions of the VPC may reach. */
  readonly port: number;
  stop(): Promise<void>;
}

/** What an account gives to its Kubernetes. */
export interface KubernetesSurroundings {
  readonly folder: string;
  /** For clients that see moto itself, as the cloud does, past the edge. */
  config(region: string): {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: Credentials;
  };
  /** Where those call AWS whose permissions count. */
  readonly edgeUrl: string;
  /** Name and ARN of the role that the stack gives to management nodes. */
  readonly nodeRole: string;
  /** Keys of a machine, under that role. */
  nodeCredentials(instanceId: string): Credentials;
  log(line: string): void;
}

/** Called when the stack is deployed. */
export type OpenKubernetes = (surroundings: KubernetesSurroundings) => Promise<AccountKubernetes>;
