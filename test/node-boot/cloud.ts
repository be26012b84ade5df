/** What the stand-ins of the sandbox and the tests agree on. */
export const instanceId = 'i-0123456789abcdef0';
export const releasePort = 8080;
export const releaseVersion = 'v1.35.3+k3s1';
