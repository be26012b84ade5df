/** Writes one event. Never a secret, a kubeconfig or a whole request. */
export type Log = (message: string, fields?: Readonly<Record<string, unknown>>) => void;

/** One JSON line per event on standard error, which `petra local up` sends to the log file. */
export const logToStderr: Log = (message, fields = {}) => {
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), message, ...fields })}\n`);
};
