import { randomBytes } from 'node:crypto';
import type { Question, Statement } from './role-policies.ts';

/** Who calls AWS: a process of a function, or a management node. */
export interface Principal {
  /** `init/launch-servers`, or `node`. */
  readonly name: string;
  /** ARN of its role. */
  readonly role: string;
  readonly statements: readonly Statement[];
  /** What its network leads to, by the services' IAM names; absent: everything. */
  readonly reaches?: ReadonlySet<string>;
  /** Condition keys that come with it, whatever it calls. */
  readonly keys?: Question['keys'];
  /** Ends its process. */
  kill?: () => void;
  /** The cluster that it works on now; set for each invocation. */
  cluster: string | undefined;
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** The access keys of the virtual account that its own parts have: they say who calls. */
export class Principals {
  readonly #byKey = new Map<string, Principal>();

  /** Keys of moto's own account, which takes any. They stay: a call may outlive the process that sent it. */
  admit(principal: Principal): Credentials {
    const accessKeyId = `ASIA${randomBytes(8).toString('hex').toUpperCase()}`;
    this.#byKey.set(accessKeyId, principal);
    return { accessKeyId, secretAccessKey: randomBytes(20).toString('hex') };
  }

  find(accessKeyId: string): Principal | undefined {
    return this.#byKey.get(accessKeyId);
  }
}
