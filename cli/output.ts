// The only place that prints. Results go to stdout, everything said on the way goes to stderr, so that
// `petra capi cluster-kubeconfig x > file` and `petra capi list -o json | jq` are always clean.

const esc = '\u001b';
const styles = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

export type Style = keyof typeof styles;

/** How a stream may be written to. */
export interface Channel {
  readonly isTTY: boolean;
  readonly colour: boolean;
  /** The text in this style, or as it is when the stream has no colours. */
  paint(style: Style, text: string): string;
}

type Environment = Readonly<Record<string, string | undefined>>;

function hasColour(isTTY: boolean, env: Environment): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  return isTTY && env.TERM !== 'dumb';
}

function channel(isTTY: boolean, env: Environment): Channel {
  const colour = hasColour(isTTY, env);
  return {
    isTTY,
    colour,
    paint: (style, text) => (colour && text !== '' ? `${esc}[${styles[style]}m${text}${esc}[0m` : text),
  };
}

/** What a terminal would obey, but for line ends, tabs and the colours of `paint`. */
const obeyed = new RegExp(`(?!${esc}\\[\\d{1,2}m)(?![\\n\\t])\\p{Cc}`, 'gu');

/**
 * The text as a terminal may show it. Names, messages and console output come from other programs and other people, and
 * may hold escape sequences; this is the last place to stop them.
 */
export function harmless(text: string): string {
  return text.replace(obeyed, '');
}

/** The two streams of a command. */
export class Output {
  readonly results: Channel;
  readonly notes: Channel;
  /** Whether progress may redraw itself on stderr. */
  readonly animated: boolean;

  constructor(env: Environment) {
    this.results = channel(process.stdout.isTTY === true, env);
    this.notes = channel(process.stderr.isTTY === true, env);
    this.animated = this.notes.isTTY && env.TERM !== 'dumb' && !env.CI;
  }

  /** A result, to stdout, with a newline at its end. As it is into a file or pipe, and harmless on a terminal. */
  result(text: string): void {
    const shown = this.results.isTTY ? harmless(text) : text;
    process.stdout.write(shown.endsWith('\n') ? shown : `${shown}\n`);
  }

  /** One line for the person who waits, to stderr. */
  note(text: string): void {
    process.stderr.write(`${harmless(text)}\n`);
  }

  /** Something that is not wrong yet, to stderr. */
  warn(text: string): void {
    this.note(`${this.notes.paint('yellow', 'warning:')} ${text}`);
  }

  /** Raw text for the renderer of progress: cursor movements included. */
  draw(text: string): void {
    process.stderr.write(text);
  }

  /** Of stderr, for progress. */
  size(): { readonly columns: number; readonly rows: number } {
    return { columns: process.stderr.columns || 80, rows: process.stderr.rows || 24 };
  }

  /** Columns of stdout; unlimited when it is not a terminal, since nothing may be cut there. */
  resultColumns(): number {
    return this.results.isTTY ? process.stdout.columns || 80 : Number.POSITIVE_INFINITY;
  }
}
