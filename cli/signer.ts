// Requests to a Petra on AWS are signed. The signing itself, and finding credentials, is loaded when it is needed.

import type { PetraError } from '../core/errors.ts';

export interface UnsignedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An answer that API Gateway gave in Petra's place. */
export interface GatewayAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

export interface Signer {
  /**
   * Headers that make the request one of this caller.
   * @throws CredentialsMissing, CredentialsExpired, WrongRegion …
   */
  sign(request: UnsignedRequest): Promise<Readonly<Record<string, string>>>;
  /** Looks for the caller's credentials again; true when they are others than those of the last signature. */
  renew(): Promise<boolean>;
  /** Why a signed request was refused. */
  explain(request: UnsignedRequest, answer: GatewayAnswer): Promise<PetraError>;
}
