"""What all Python suites share: cases, deadlines, and the words to the runner (see src/main.rs)."""

import os
import sys
import time
import traceback

BOOTSTRAP = os.environ["OUZEL_BOOTSTRAP"]
_cases = []


def case(function):
    """A check: fails by an exception."""
    _cases.append(function)
    return function


class Skip(Exception):
    pass


def restart():
    """Has the broker killed and started again."""
    print("@restart", flush=True)
    answer = sys.stdin.readline().strip()
    if answer == "no":
        raise Skip("the broker isn't ours to kill")
    assert answer == "ok", answer


def until(what, probe, seconds=30):
    """Calls `probe` until it says something, and returns that."""
    end = time.monotonic() + seconds
    while True:
        got = probe()
        # A message of librdkafka's is false when its value is empty.
        if got is not None and got is not False:
            return got
        if time.monotonic() > end:
            raise AssertionError(f"no {what} after {seconds} s")


def same(got, want):
    assert got == want, f"got {got!r:.300}, want {want!r:.300}"


def exactly_once(per_partition, want):
    """`per_partition`: what each partition gave, in order. `want`: the same, as it was acknowledged. Says what is amiss by its kind."""
    for partition in sorted(set(per_partition) | set(want)):
        got, sent = per_partition.get(partition, []), want.get(partition, [])
        if got != sent:
            lost = len(set(sent) - set(got))
            twice = len(got) - len(set(got))
            raise AssertionError(
                f"partition {partition}: {len(sent)} acknowledged, {len(got)} read, {lost} lost, {twice} duplicated, "
                f"order {'kept' if got == sorted(got) else 'broken'}"
            )


def main():
    only = sys.argv[1:]
    for function in _cases:
        name = function.__name__
        if only and name not in only:
            continue
        began = time.monotonic()
        try:
            function()
            print(f"ok {name} ({time.monotonic() - began:.1f} s)", flush=True)
        except Skip as why:
            print(f"skip {name}: {why}", flush=True)
        except BaseException as error:
            traceback.print_exc()
            text = " ".join(f"{type(error).__name__}: {error}".split())
            print(f"FAILED {name}: {text[:600]}", flush=True)
