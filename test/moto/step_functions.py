"""State machines in less time.

A speed divides the seconds of every Wait and of every Retry's interval, STEP_FUNCTIONS_SPEED until another one is set;
definitions stay as they were deployed. Timeouts of tasks are left alone: functions do not get faster.
"""

import os
import threading
import time

speed = float(os.environ.get("STEP_FUNCTIONS_SPEED", "1"))

from moto.stepfunctions.parser.asl.component.common.retry.interval_seconds_decl import IntervalSecondsDecl
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser


def set_speed(value):
    """For what begins to wait from now on."""
    global speed
    speed = value


def wait(self, env, wait_seconds):
    end = time.monotonic() + wait_seconds / speed
    while env.is_running() and (left := end - time.monotonic()) > 0:
        env.program_state_event.wait(left)


# Rewritten because moto counts whole seconds, and would wait for ever for less than one.
WaitFunction._wait_interval = wait

IntervalSecondsDecl._eval_body = lambda self, env: env.stack.append(self.seconds / speed)

# Retries are counted for each visit of a state. moto counts over all visits, so that a state in a loop has fewer each time.
evaluate = ExecutionState._eval_state


def evaluate_with_fresh_retries(self, env):
    for retrier in self.retry.retriers if self.retry else []:
        env.heap.pop(retrier.max_attempts._attempt_number_key(), None)
        env.heap.pop(retrier.backoff_rate._next_multiplier_key(), None)
    return evaluate(self, env)


ExecutionState._eval_state = evaluate_with_fresh_retries

# Parsing a definition takes moto a second or two, and it does so for each execution; what is parsed holds no state.
parse = AmazonStateLanguageParser.parse
parsed = {}
parsing = threading.Lock()


def parse_once(definition):
    with parsing:
        if definition not in parsed:
            parsed[definition] = parse(definition)
        return parsed[definition]


AmazonStateLanguageParser.parse = staticmethod(parse_once)

# Making a client takes moto a tenth of a second, and it does so for each task.
make_client = lambda_eval_utils.boto_client_for
clients = {}
making = threading.Lock()


def lambda_client_for(service, region, state_credentials=None):
    with making:
        if region not in clients:
            clients[region] = make_client(service=service, region=region, state_credentials=state_credentials)
        return clients[region]


lambda_eval_utils.boto_client_for = lambda_client_for
