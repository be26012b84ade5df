// Who may do what in a simulated cluster: the administrator everything, and whoever else the API knows nothing. Roles
// and bindings are objects like any other here.

import type { ResourceRequest } from './api-exchange.ts';
import { ApiStatusError } from './api-status.ts';
import { administrator } from './certificates.ts';

export function isAdministrator(user: string): boolean {
  return user === administrator;
}

/** @throws ApiStatusError 403, in the words of RBAC, which say what is missing */
export function checkRights(user: string, { path, request, type }: ResourceRequest): void {
  if (isAdministrator(user)) return;
  const { name, namespace, subresource } = path;
  const verb = verbOf(request.method, name !== undefined, request.query.watch);
  const resource = subresource === undefined ? type.plural : `${type.plural}/${subresource}`;
  const scope = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const what = type.group === '' ? type.plural : `${type.plural}.${type.group}`;
  const subject = name === undefined ? what : `${what} "${name}"`;
  throw new ApiStatusError(
    403,
    'Forbidden',
    `${subject} is forbidden: User "${user}" cannot ${verb} resource "${resource}" in API group "${type.group}" ${scope}`,
    {
      ...(name === undefined ? {} : { name }),
      ...(type.group ? { group: type.group } : {}),
      kind: type.plural,
    },
  );
}

function verbOf(method: string, isObject: boolean, isWatch: boolean): string {
  switch (method) {
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return isObject ? 'delete' : 'deletecollection';
    default:
      if (isWatch) return 'watch';
      return isObject ? 'get' : 'list';
  }
}
