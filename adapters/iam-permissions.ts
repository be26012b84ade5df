import { type EvaluationResult, type IAMClient, paginateSimulatePrincipalPolicy } from '@aws-sdk/client-iam';
import { PetraError } from '../core/errors.ts';
import type { Permissions } from '../core/ports.ts';
import { translateAwsError } from './aws-errors.ts';

/** IAM gives no limit; its answers have at most 1,000 results, and are slow to compute. */
const actionsAtOnce = 100;

export interface SimulationOptions {
  /**
   * The ARNs on which an action is needed, where the role may do it on those alone (`iam:PassRole`). The others are
   * asked for on everything, `*`.
   */
  readonly resources?: Readonly<Record<string, readonly string[]>>;
  /** Values of the condition keys in the role's policies, as calls will have them; the region is known. */
  readonly context?: Readonly<Record<string, readonly string[]>>;
}

/** What a role may do, by IAM's own simulation of its policies, its permission boundary and the organisation's policies. */
export class IamPermissions implements Permissions {
  readonly #client: IAMClient;
  readonly #roleArn: string;
  readonly #resources: Readonly<Record<string, readonly string[]>>;
  readonly #context: Readonly<Record<string, readonly string[]>>;

  constructor(client: IAMClient, roleArn: string, options: SimulationOptions = {}) {
    this.#client = client;
    this.#roleArn = roleArn;
    this.#resources = options.resources ?? {};
    this.#context = options.context ?? {};
  }

  async denied(region: string, actions: readonly string[]): Promise<readonly string[]> {
    const denied = new Set<string>();
    const everywhere = actions.filter((action) => this.#resources[action] === undefined);
    const questions: { actions: string[]; resources?: string[] }[] = [];
    for (let start = 0; start < everywhere.length; start += actionsAtOnce)
      questions.push({ actions: everywhere.slice(start, start + actionsAtOnce) });
    for (const action of actions) {
      const resources = this.#resources[action];
      if (resources) questions.push({ actions: [action], resources: [...resources] });
    }
    for (const question of questions) {
      for (const action of await this.#deniedOf(region, question)) denied.add(action);
    }
    return actions.filter((action) => denied.has(action));
  }

  async #deniedOf(
    region: string,
    { actions, resources }: { readonly actions: string[]; readonly resources?: string[] },
  ): Promise<string[]> {
    const denied: string[] = [];
    const query = {
      PolicySourceArn: this.#roleArn,
      ActionNames: actions,
      ...(resources === undefined ? {} : { ResourceArns: resources }),
      ContextEntries: Object.entries({ ...this.#context, 'aws:RequestedRegion': [region] }).map(
        ([key, values]) => ({
          ContextKeyName: key,
          ContextKeyType: values.length === 1 ? ('string' as const) : ('stringList' as const),
          ContextKeyValues: [...values],
        }),
      ),
    };
    try {
      for await (const page of paginateSimulatePrincipalPolicy({ client: this.#client }, query)) {
        for (const result of page.EvaluationResults ?? [])
          if (isDenied(result) && result.EvalActionName) denied.push(result.EvalActionName);
      }
    } catch (error) {
      throw this.#translate(error);
    }
    return denied;
  }

  #translate(error: unknown): unknown {
    const doing = `ask what the role ${this.#roleArn} may do`;
    if (!(error instanceof Error) || !/^NoSuchEntity/.test(error.name))
      return translateAwsError(error, doing);
    return new PetraError('AwsAccessDenied', `cannot ${doing}: it does not exist`, {
      cause: error,
      fix: `Deploy the Petra stack, which makes the role ${this.#roleArn}, or name the role that Cluster API is to use.`,
    });
  }
}

/**
 * A policy that allows something under a condition, such as a tag of the resource, denies it to a simulation that does
 * not know the tag. What would be is not known then, and not called denied. The reference leaves open whether the
 * missing keys are those of all policies of the role, so give the values of as many as possible.
 */
function isDenied({ EvalDecision, MissingContextValues = [] }: EvaluationResult): boolean {
  if (EvalDecision === 'implicitDeny') return MissingContextValues.length === 0;
  return EvalDecision !== 'allowed';
}
