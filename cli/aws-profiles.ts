// Profiles of the user's AWS configuration.

import { loadSharedConfigFiles } from '@smithy/core/config';

export type Profiles = Readonly<Record<string, Readonly<Record<string, string | undefined>>>>;

/** All profiles, settings of both files together, as the files are now. */
export async function loadProfiles(): Promise<Profiles> {
  const { configFile, credentialsFile } = await loadSharedConfigFiles({ ignoreCache: true });
  const names = new Set([...Object.keys(configFile), ...Object.keys(credentialsFile)]);
  // The loader keeps other sections, such as sso-session, under names with a dot.
  const profiles = [...names].filter((name) => !/^(?:sso-session|services)\./.test(name));
  return Object.fromEntries(
    profiles.map((name) => [name, { ...configFile[name], ...credentialsFile[name] }] as const),
  );
}

/** Names of the profiles in the AWS configuration of this user. */
export async function profileNames(): Promise<readonly string[]> {
  return Object.keys(await loadProfiles());
}

/** The region that a profile names, if it does. */
export async function regionOfProfile(profile: string): Promise<string | undefined> {
  return (await loadProfiles())[profile]?.region;
}

/** How a person gets the credentials of a profile, through the profiles it takes them from. */
export function loginKind(profile: string, profiles: Profiles): 'sso' | 'login' | 'process' | 'other' {
  const seen = new Set<string>();
  for (let name: string | undefined = profile; name !== undefined && !seen.has(name); ) {
    seen.add(name);
    const data: Profiles[string] = profiles[name] ?? {};
    if (data.sso_session ?? data.sso_start_url) return 'sso';
    if (data.login_session) return 'login';
    if (data.credential_process) return 'process';
    name = data.source_profile;
  }
  return 'other';
}
