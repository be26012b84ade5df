// The state folder of a local Petra: what its server writes there and commands read. Here because cli/ and local/
// import nothing of each other.

/** Names of the files in the folder. */
export const stateFileNames = {
  /** Its presence is what makes a folder a Petra state folder. */
  marker: 'petra-state.json',
  /** Where the server answers; absent while none runs. */
  endpoint: 'endpoint.json',
  /** What clients must send. */
  token: 'token',
  /** What later starts remember. */
  settings: 'settings.json',
  log: 'petra.log',
  /** Held by the command that starts the server. */
  startLock: 'start.lock',
} as const;

/** What a running server says of itself in its endpoint file. */
export interface LocalEndpoint {
  readonly url: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly version: string;
  /** Simulated seconds per real second. */
  readonly speed: number;
}
