// People with access keys of the virtual account.

import { motoAccount } from '../moto/start-moto.ts';
import type { Caller } from './api-front.ts';
import type { DeployedPolicies } from './deployed-policies.ts';

/** Who may do what: the managed policies of the template. `stranger` has none. */
const callerPolicies = {
  reader: ['ApiReader'],
  operator: ['ApiOperator', 'ApiKubeconfig'],
  admin: ['ApiAdmin', 'ApiKubeconfig'],
  stranger: [],
} as const;

export type CallerName = keyof typeof callerPolicies;

/** Each with the deployed policies of its kind. */
export async function readCallers(policies: DeployedPolicies): Promise<Readonly<Record<CallerName, Caller>>> {
  const made = await Promise.all(
    Object.entries(callerPolicies).map(async ([name, words]) => {
      const statements = await Promise.all(words.map((word) => policies.named(word)));
      const caller: Caller = {
        name,
        arn: `arn:aws:iam::${motoAccount}:user/${name}`,
        accessKeyId: `AKIA${name.toUpperCase().padEnd(16, 'X')}`,
        secretAccessKey: `secret-of-${name}`,
        statements: statements.flat(),
        keys: {
          'aws:PrincipalTag/*': [],
          ...(words.some((word) => word === 'ApiKubeconfig') && {
            'aws:PrincipalTag/petra.sh/kubeconfig': ['true'],
          }),
        },
      };
      return [name, caller] as const;
    }),
  );
  // One entry for each name of the table.
  return Object.fromEntries(made) as Readonly<Record<CallerName, Caller>>;
}
