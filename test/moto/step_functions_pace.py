"""Waits and retries of state machines, sped up.

STEP_FUNCTIONS_SPEED divides the seconds of every Wait and of every Retry's interval; definitions stay as they were
deployed. Timeouts of tasks are left alone: functions do not get faster.
"""

import os
import time

SPEED = float(os.environ.get("STEP_FUNCTIONS_SPEED", "1"))

from moto.stepfunctions.parser.asl.component.common.retry.interval_seconds_decl import IntervalSecondsDecl
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction


def wait(self, env, wait_seconds):
    end = time.monotonic() + wait_seconds / SPEED
    while env.is_running() and (left := end - time.monotonic()) > 0:
        env.program_state_event.wait(left)


# Rewritten because moto counts whole seconds, and would wait for ever for less than one.
WaitFunction._wait_interval = wait

IntervalSecondsDecl._eval_body = lambda self, env: env.stack.append(self.seconds / SPEED)

# Retries are counted for each visit of a state. moto counts over all visits, so that a state in a loop has fewer each time.
evaluate = ExecutionState._eval_state


def evaluate_with_fresh_retries(self, env):
    for retrier in self.retry.retriers if self.retry else []:
        env.heap.pop(retrier.max_attempts._attempt_number_key(), None)
        env.heap.pop(retrier.backoff_rate._next_multiplier_key(), None)
    return evaluate(self, env)


ExecutionState._eval_state = evaluate_with_fresh_retries
