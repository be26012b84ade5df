// An instance profile of the account that is taken away, as somebody may do by hand, and put back.

import {
  AddRoleToInstanceProfileCommand,
  CreateInstanceProfileCommand,
  DeleteInstanceProfileCommand,
  GetInstanceProfileCommand,
  type IAMClient,
  RemoveRoleFromInstanceProfileCommand,
} from '@aws-sdk/client-iam';

/** Takes it away; the function that is returned puts it back as it was. */
export async function takeInstanceProfile(iam: IAMClient, name: string): Promise<() => Promise<void>> {
  const named = { InstanceProfileName: name };
  const { InstanceProfile } = await iam.send(new GetInstanceProfileCommand(named));
  const { Path = '/', Roles = [] } = InstanceProfile ?? {};
  const roles = Roles.flatMap(({ RoleName }) => RoleName ?? []);
  for (const RoleName of roles)
    await iam.send(new RemoveRoleFromInstanceProfileCommand({ ...named, RoleName }));
  await iam.send(new DeleteInstanceProfileCommand(named));
  return async () => {
    await iam.send(new CreateInstanceProfileCommand({ ...named, Path }));
    for (const RoleName of roles) await iam.send(new AddRoleToInstanceProfileCommand({ ...named, RoleName }));
  };
}
