import { describe, expect, it } from 'vitest';
import { EmfMetrics } from '../../adapters/emf-metrics.ts';

const at = new Date('2026-11-23T12:00:00.000Z');

function metrics() {
  const lines: string[] = [];
  const adapter = new EmfMetrics((line) => void lines.push(line), { now: () => at });
  return { adapter, lines };
}

describe('metrics in the log', () => {
  it("are one line in CloudWatch's embedded metric format", () => {
    const { adapter, lines } = metrics();
    adapter.record({ StaleLocks: 2, Findings: 0 });
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain('\n');
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      StaleLocks: 2,
      Findings: 0,
      _aws: {
        Timestamp: at.getTime(),
        CloudWatchMetrics: [
          {
            Namespace: 'Petra',
            Dimensions: [[]],
            Metrics: [
              { Name: 'StaleLocks', Unit: 'Count' },
              { Name: 'Findings', Unit: 'Count' },
            ],
          },
        ],
      },
    });
  });

  it('leave out what is not a number, and are no line when nothing is left', () => {
    const { adapter, lines } = metrics();
    adapter.record({ StaleLocks: Number.NaN });
    adapter.record({});
    expect(lines).toEqual([]);
    adapter.record({ StaleLocks: Number.POSITIVE_INFINITY, Findings: 1 });
    expect(lines[0]).not.toContain('StaleLocks');
  });

  it('do not stop what they count', () => {
    const broken = new EmfMetrics(
      () => {
        throw new Error('no log');
      },
      { now: () => at },
    );
    expect(() => broken.record({ Findings: 1 })).not.toThrow();
  });
});
