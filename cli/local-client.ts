import { PetraError } from '../core/errors.ts';
import { ApiClient } from './api-client.ts';
import { readEndpoint, readToken } from './local-state.ts';

/** A client for the server of this folder, wherever it answers at the moment. */
export function localClient(folder: string, revive?: () => Promise<void>): ApiClient {
  return new ApiClient({
    locate: () => {
      const endpoint = readEndpoint(folder);
      if (endpoint === undefined) {
        throw new PetraError('PetraUnreachable', `the local Petra of ${folder} does not run`);
      }
      return { url: endpoint.url, token: readToken(folder) };
    },
    ...(revive === undefined ? {} : { revive }),
  });
}
