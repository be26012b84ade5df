/** Points at which executions of a test wait, by key, until the test says how they go on. */
export class Gates<Outcome> {
  readonly #gates = new Map<string, PromiseWithResolvers<Outcome>>();
  readonly #arrivals = new Map<string, number>();

  /** Waits at the gate; opened before or after does not matter. */
  async pass(key: string): Promise<Outcome> {
    this.#arrivals.set(key, this.arrivals(key) + 1);
    return this.#gate(key).promise;
  }

  open(key: string, outcome: Outcome): void {
    this.#gate(key).resolve(outcome);
  }

  arrivals(key: string): number {
    return this.#arrivals.get(key) ?? 0;
  }

  #gate(key: string): PromiseWithResolvers<Outcome> {
    const gate = this.#gates.get(key) ?? Promise.withResolvers<Outcome>();
    this.#gates.set(key, gate);
    return gate;
  }
}
