import { get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { PetraError } from '../core/errors.ts';
import type { ReleaseAsset, Releases } from '../core/ports.ts';

const upstream = 'https://github.com';

/**
 * Many times what a manifest has (the largest are CAPA's and cert-manager's, a few megabytes at most), and little
 * enough for the memory of a small Lambda. More is not a manifest, or is meant to do harm.
 */
const largestBytes = 16 * 1024 * 1024;

/**
 * For one attempt with all its redirects. GitHub answers within seconds, or is in trouble. All attempts with their
 * pauses end before the preflight's Task does, after 120 s.
 */
const attemptLimitMilliseconds = 15_000;

const attempts = 4;
/** The longest wait before the second attempt; doubled before each further one. */
const firstPauseMilliseconds = 500;
/** A repository may ask for hours. That is for the user to decide. */
const longestPauseMilliseconds = 10_000;

/** GitHub redirects once, to where its files are. */
const mostRedirects = 5;

export interface HttpsReleasesOptions {
  /** The address of a mirror with GitHub's layout, in place of `https://github.com`. */
  readonly baseUrl?: string;
  /** The authority of a mirror's certificate, PEM, when it is not a public one. */
  readonly authority?: string;
  /** How long one attempt may take; for tests. */
  readonly attemptLimitMilliseconds?: number;
  /** How long to wait before another attempt, in milliseconds; for tests. */
  readonly wait?: (milliseconds: number) => Promise<unknown>;
}

/**
 * Release files from GitHub, or from a mirror: `<base>/<repository>/releases/download/<version>/<file>`. Unencrypted
 * HTTP is only for this machine itself, and nothing may redirect to it.
 */
export class HttpsReleases implements Releases {
  readonly kind: 'upstream' | 'mirror';
  readonly #base: string;
  readonly #authority: string | undefined;
  readonly #attemptLimit: number;
  readonly #wait: (milliseconds: number) => Promise<unknown>;

  constructor(options: HttpsReleasesOptions = {}) {
    this.kind = options.baseUrl === undefined ? 'upstream' : 'mirror';
    this.#base = (options.baseUrl ?? upstream).replace(/\/+$/, '');
    this.#authority = options.authority;
    this.#attemptLimit = options.attemptLimitMilliseconds ?? attemptLimitMilliseconds;
    this.#wait = options.wait ?? sleep;
  }

  /** @throws ReleaseNotFound, ReleaseUnreachable, ReleaseCorrupt for what is not text, or is a web page */
  async fetch(asset: ReleaseAsset): Promise<string> {
    const { repository, version, file } = asset;
    // The tags of k3s have a plus sign, which some servers read as a blank.
    const tag = version.replaceAll('+', '%2B');
    const url = `${this.#base}/${repository}/releases/download/${tag}/${file}`;
    const content = await this.#download(url);
    return textOf(content, url);
  }

  async #download(url: string): Promise<Content> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt(url);
      } catch (error) {
        if (!(error instanceof Passing)) throw error;
        if (attempt === attempts) {
          const message = `cannot fetch ${url} in ${attempts} attempts: ${error.message}`;
          throw new PetraError('ReleaseUnreachable', message, { cause: error.cause });
        }
        // Anywhere in the pause, so that many who fetch at once do not come back at once.
        const pause = Math.random() * firstPauseMilliseconds * 2 ** (attempt - 1);
        await this.#wait(Math.min(Math.max(pause, error.retryAfterMilliseconds), longestPauseMilliseconds));
      }
    }
  }

  async #attempt(start: string): Promise<Content> {
    const signal = AbortSignal.timeout(this.#attemptLimit);
    let url = addressOf(start);
    try {
      for (let redirects = 0; ; redirects += 1) {
        const answer = await this.#request(url, signal);
        const status = answer.statusCode ?? 0;
        const { location } = answer.headers;
        if (status === 200)
          return { type: answer.headers['content-type'] ?? '', bytes: await bytesOf(answer) };
        answer.destroy();
        if (status < 300 || status > 399 || location === undefined) throw refusal(status, answer, start);
        if (redirects === mostRedirects)
          throw unreachable(`${start} redirects more than ${mostRedirects} times`);
        url = secureRedirect(new URL(location, url), start);
      }
    } catch (error) {
      if (error instanceof PetraError || error instanceof Passing) throw error;
      const message = signal.aborted
        ? `no answer in ${this.#attemptLimit / 1000} s`
        : error instanceof Error
          ? error.message
          : String(error);
      throw new Passing(message, { cause: error });
    }
  }

  #request(url: URL, signal: AbortSignal): Promise<IncomingMessage> {
    const options = {
      signal,
      headers: { 'User-Agent': 'petra', Accept: '*/*', 'Accept-Encoding': 'identity' },
      ...(this.#authority === undefined ? {} : { ca: this.#authority }),
    };
    return new Promise((resolve, reject) => {
      const get = url.protocol === 'https:' ? httpsGet : httpGet;
      get(url, options, resolve).on('error', reject);
    });
  }
}

interface Content {
  readonly type: string;
  readonly bytes: Buffer;
}

/** A failure that another attempt may not meet. */
class Passing extends Error {
  readonly retryAfterMilliseconds: number;

  constructor(message: string, options: ErrorOptions & { readonly retryAfterMilliseconds?: number } = {}) {
    super(message, options);
    this.retryAfterMilliseconds = options.retryAfterMilliseconds ?? 0;
  }
}

function unreachable(message: string): PetraError {
  return new PetraError('ReleaseUnreachable', message);
}

function addressOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHere = url !== undefined && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url?.username === '' && (url.protocol === 'https:' || (url.protocol === 'http:' && isHere))) return url;
  // Without the address itself: there may be a password in it.
  throw unreachable('the address of the releases is not an https:// address without a user name');
}

function refusal(status: number, answer: IncomingMessage, url: string): Error {
  if (status === 404) return new PetraError('ReleaseNotFound', `there is no ${url}`);
  const message = `the answer was ${status} ${answer.statusMessage ?? ''}`.trimEnd();
  if (status !== 429 && status < 500) return unreachable(`cannot fetch ${url}: ${message}`);
  const seconds = Number(answer.headers['retry-after']);
  return new Passing(message, { retryAfterMilliseconds: seconds > 0 ? seconds * 1000 : 0 });
}

function secureRedirect(url: URL, start: string): URL {
  if (url.protocol === 'https:') return url;
  // The address may carry a signature that lets anyone read what is private.
  throw unreachable(`${start} redirects to ${url.host}, without encryption`);
}

async function bytesOf(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer) {
    size += chunk.length;
    if (size > largestBytes) {
      answer.destroy();
      throw unreachable(`the file is larger than the ${largestBytes} bytes that Petra takes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** Proxies and sign-in pages answer 200 with a page of their own. */
function textOf({ type, bytes }: Content, url: string): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new PetraError('ReleaseCorrupt', `${url} is not text in UTF-8`, { cause });
  }
  const isPage = type.startsWith('text/html') || /^\s*<(?:!doctype\s|html[\s>])/i.test(text);
  if (isPage || text.trim() === '')
    throw new PetraError(
      'ReleaseCorrupt',
      `${url} is ${isPage ? 'a web page' : 'empty'}, not a file of a release`,
    );
  return text;
}
