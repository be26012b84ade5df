import { messageOf } from '../../core/errors.ts';
import type { Clock } from '../../core/ports.ts';
import type { Faults } from '../faults.ts';
import type { Log } from '../log.ts';
import type { Pace } from '../pace.ts';
import type { BootStages, StageOutcome } from './boot-stages.ts';
import { type BootRecord, type Ec2Records, isAlive, type MachineRecord, stateOf } from './ec2-records.ts';

const retrySeconds = 2;
const slowness = 10;
/** EC2, too, shows a terminated machine for about an hour. */
const rememberedSeconds = 3600;
/** The shortest time between two looks, however fast the pace is. */
const breathMilliseconds = 10;
const longestSleepMilliseconds = 60_000;

/**
 * Boots machines once they run, and clears up after those that end. One loop that looks at what is on disk and does
 * what is due, so that it goes on where a killed process stopped.
 */
export class Boot {
  readonly #records: Ec2Records;
  readonly #stages: BootStages;
  readonly #pace: Pace;
  readonly #faults: Faults;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #resumed = new Set<string>();
  /** The last problem of each machine or cluster, so that one that stays is logged once. */
  readonly #problems = new Map<string, string>();
  #loop: Promise<void> | undefined;
  #stopped = false;
  #woken = false;
  #wakeUp: (() => void) | undefined;

  constructor(parts: {
    readonly records: Ec2Records;
    readonly stages: BootStages;
    readonly pace: Pace;
    readonly faults: Faults;
    readonly clock: Clock;
    readonly log: Log;
  }) {
    this.#records = parts.records;
    this.#stages = parts.stages;
    this.#pace = parts.pace;
    this.#faults = parts.faults;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  /** Begins to boot machines; once. */
  start(): void {
    this.#loop ??= this.#run();
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.wake();
    await this.#loop;
  }

  /** Looks at once: a machine was launched, or is to end. */
  wake(): void {
    this.#woken = true;
    this.#wakeUp?.();
  }

  async #run(): Promise<void> {
    // An API started by this process needs no resuming; what is there now was started by another.
    const found = this.#stages.startedApis();
    while (!this.#stopped) {
      this.#woken = false;
      const due = [...(await this.#resumeApis(found)), ...(await this.#lookAtMachines())];
      if (!this.#woken) await this.#sleepUntil(Math.min(...due));
    }
  }

  async #resumeApis(uids: readonly string[]): Promise<number[]> {
    const due: number[] = [];
    for (const uid of uids) {
      if (this.#resumed.has(uid)) continue;
      const retryAt = await this.#attempt(uid, async () => {
        await this.#stages.resumeApi(uid);
        this.#resumed.add(uid);
        return undefined;
      });
      if (retryAt !== undefined) due.push(retryAt);
    }
    return due;
  }

  async #lookAtMachines(): Promise<number[]> {
    const due: number[] = [];
    for (const [id, machine] of [...this.#records.machines.entries()]) {
      if (this.#stopped) break;
      const next = await this.#attempt(id, () =>
        isAlive(machine) ? this.#advance(machine) : this.#end(machine),
      );
      if (next !== undefined) due.push(next);
    }
    return due;
  }

  /** When to look again: as the work says, or soon if it failed. */
  async #attempt(key: string, work: () => Promise<number | undefined>): Promise<number | undefined> {
    try {
      const due = await work();
      this.#problems.delete(key);
      return due;
    } catch (error) {
      const problem = messageOf(error);
      if (this.#problems.get(key) !== problem) this.#log('simulated machine waits', { id: key, problem });
      this.#problems.set(key, problem);
      return this.#now() + this.#pace.milliseconds(retrySeconds);
    }
  }

  /** Runs every stage that is due. */
  async #advance(machine: MachineRecord): Promise<number | undefined> {
    if (stateOf(machine, this.#now()) === 'pending') return machine.runsAt;
    for (;;) {
      const boot = this.#records.boots.get(machine.id) ?? { stage: 0, console: [] };
      const stage = this.#stages.all[boot.stage];
      if (!stage || boot.halted || this.#stopped) return undefined;
      const seconds = stage.atSeconds * (this.#faults.active('boot:slow') === undefined ? 1 : slowness);
      const dueAt = machine.runsAt + this.#pace.milliseconds(seconds);
      if (this.#now() < dueAt) return dueAt;
      const outcome = await stage.run(machine);
      const next = afterStage(boot, outcome, seconds);
      if (next !== boot) await this.#records.boots.put(machine.id, next);
      if ('waitFor' in outcome) return this.#now() + this.#pace.milliseconds(retrySeconds);
      if ('say' in outcome && next.stage === this.#stages.all.length)
        this.#log('simulated machine booted', {
          id: machine.id,
          name: machine.name,
          cluster: machine.cluster,
        });
      // Terminated while the stage ran: the loop has been woken and sees it next.
      const current = this.#records.machines.get(machine.id);
      if (!current || !isAlive(current)) return undefined;
    }
  }

  async #end(machine: MachineRecord): Promise<number | undefined> {
    const boot = this.#records.boots.get(machine.id) ?? { stage: 0, console: [] };
    if (!boot.cleared) {
      await this.#stages.clear(machine);
      await this.#records.boots.put(machine.id, { ...boot, cleared: true });
    }
    const forgottenAt = (machine.endsAt ?? this.#now()) + this.#pace.milliseconds(rememberedSeconds);
    if (this.#now() < forgottenAt) return forgottenAt;
    // The machine last: without it nothing would ever remove its boot.
    await this.#records.boots.delete(machine.id);
    await this.#records.machines.delete(machine.id);
    return undefined;
  }

  async #sleepUntil(due: number): Promise<void> {
    const wanted = Math.min(due - this.#now(), longestSleepMilliseconds);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(wanted, breathMilliseconds));
      this.#wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wakeUp = undefined;
  }

  #now(): number {
    return this.#clock.now().getTime();
  }
}

function afterStage(boot: BootRecord, outcome: StageOutcome, seconds: number): BootRecord {
  const line = (text: string) => `[${seconds.toFixed(3).padStart(8)}] ${text}`;
  if ('say' in outcome)
    return { stage: boot.stage + 1, console: [...boot.console, ...outcome.say.map(line)] };
  if ('halt' in outcome) return { ...boot, halted: true, console: [...boot.console, line(outcome.halt)] };
  if (boot.waitingFor === outcome.waitFor) return boot;
  return { ...boot, waitingFor: outcome.waitFor, console: [...boot.console, line(outcome.waitFor)] };
}
