"""Stopping rules against independent ones, decision by decision, on random histories.

    cargo build --release --locked -p efflux-run --example decisions
    python3 benches/policies.py target/release/examples/decisions [--histories 100000] [--seed 0]

Needs optuna 5.0.0 and syne-tune 0.16.0 (`--plain` does without both). Every history has its own number of configurations,
seeds, rungs, workers, failures and ties; the program answers it event by event, and must give every answer of the reference.

* asha, halving, median beside the rules as published, written here as plainly as can be (`Plain…`).
* asha beside Optuna's SuccessiveHalvingPruner with `bootstrap_count` = eta - 1. That one decides when a trial reports, once and
  for all; the published rule may let a trial go on later, when the rung has grown. Such late promotions are accepted, never
  report again, and are counted: then both have the same values in every rung, and "goes on at once" must be the same. Optuna
  does not count a failed trial among those of a rung, so there are none here, and no ties: it lets both of two equals go on.
* asha beside Syne Tune's Bracket, in the same way. It lets go on whose rank from 0 is at most n / eta, the published rule whose
  rank is below its floor; arrivals between the two are left out and counted, and Syne Tune must let those go on.
* halving beside the same pruner of Optuna's with every configuration of a rung reporting last, after all others.
* median beside Optuna's MedianPruner. That takes the median of the values at the step, the published rule that of running means: the
  trials that are complete are given to it with running means for values. No failures, which Optuna passes over.
"""

import argparse
import json
import random
import subprocess
import sys
import time
import warnings
from pathlib import Path

BATCH = 2000


# The published rules.


class PlainAsha:
    """Li et al. 2020, algorithm 2, with a configuration's trials judged by their mean."""

    def __init__(self, configurations, rungs, eta):
        self.eta = eta
        self.new = list(range(configurations))
        self.rungs = [{} for _ in range(rungs)]
        self.promoted = [set() for _ in range(rungs)]

    def report(self, configuration, rung, mean):
        if rung < len(self.rungs):
            self.rungs[rung][configuration] = mean

    def get_job(self):
        for rung in reversed(range(len(self.rungs))):
            for configuration in top(self.rungs[rung], len(self.rungs[rung]) // self.eta):
                if configuration not in self.promoted[rung]:
                    self.promoted[rung].add(configuration)
                    return configuration, rung + 1
        return (self.new.pop(0), 0) if self.new else None


def top(values, count):
    """The best of those that have a value, of equals the first."""
    known = [configuration for configuration, value in values.items() if value is not None]
    return sorted(known, key=lambda one: (-values[one], one))[:count]


def plain_median(own, others):
    """Golovin et al. 2017: whether the best value so far is below the median of the others' running means up to here."""
    own = [value for value in own if value is not None]
    means = sorted(mean(other) for other in others)
    middle = len(means) // 2
    median = means[middle] if len(means) % 2 else means[middle - 1] + (means[middle] - means[middle - 1]) * 0.5
    return not own or max(own) < median


def mean(values):
    """In the order given: Python's own `sum` rounds otherwise since 3.12."""
    if None in values:
        return None
    total = 0.0
    for value in values:
        total += value
    return total / len(values)


# Histories.


def shape(rng, most=12):
    """Configurations, seeds, eta, least, epochs and rungs."""
    eta, least = rng.choice([2, 2, 3, 3, 4]), rng.choice([1, 1, 2])
    levels = rng.randint(1, 3)
    rungs = [least * eta**level for level in range(levels)]
    return rng.randint(1, most), rng.choice([1, 1, 2, 3]), eta, least, rungs[-1] * eta, rungs


def values(rng, failures=True, ties=True):
    """What draws scores: with ties or without, and some that failed."""
    coarse = ties and rng.random() < 0.5
    share = rng.choice([0.0, 0.1, 0.3]) if failures else 0.0

    def draw():
        if rng.random() < share:
            return None
        return rng.randint(-8, 8) / 8 if coarse else rng.uniform(-1, 1)

    return draw


def history(policy, keys, configurations, replications, epochs, events):
    stop = {"policy": policy, **keys}
    fixed = {"configurations": configurations, "replications": replications, "epochs": epochs}
    return {"stop": stop, **fixed, "events": events}


def asha_plain(rng):
    configurations, replications, eta, least, epochs, rungs = shape(rng)
    draw, workers = values(rng), rng.randint(1, 6)
    rule = PlainAsha(configurations, len(rungs), eta)
    events, expected, running, scores = [], [], [], {}
    while True:
        if len(running) < workers * replications and rng.random() < 0.7 or not running:
            job = rule.get_job()
            events.append("ask")
            expected.append([[job[0], "go_on", job[1]]] if job else [])
            if job:
                running += [(*job, replication) for replication in range(replications)]
            elif not running:
                break
            continue
        configuration, rung, replication = running.pop(rng.randrange(len(running)))
        own = scores.setdefault((configuration, rung), {})
        own[replication] = draw()
        events.append([configuration, replication, rung, own[replication]])
        is_last = len(own) == replications
        if is_last:
            rule.report(configuration, rung, mean([own[one] for one in range(replications)]))
        expected.append([[configuration, "wait", None]] if is_last and rung < len(rungs) else [])
    keys = {"least": least, "eta": eta}
    return history("asha", keys, configurations, replications, epochs, events), expected, None


def halving_plain(rng):
    configurations, replications, eta, least, epochs, rungs = shape(rng)
    draw = values(rng)
    events, expected, standing = [], [], list(range(configurations))
    for rung in range(len(rungs)):
        arrivals = [(configuration, replication) for configuration in standing for replication in range(replications)]
        rng.shuffle(arrivals)
        scores = {arrival: draw() for arrival in arrivals}
        events += [[*arrival, rung, scores[arrival]] for arrival in arrivals]
        means = {one: mean([scores[one, replication] for replication in range(replications)]) for one in standing}
        best = top(means, max(1, len(standing) // eta))
        verdicts = [[one, "go_on", rung + 1] if one in best else [one, "stop", rung] for one in standing]
        expected += [[]] * (len(arrivals) - 1) + [verdicts]
        standing = sorted(best)
        if not standing:
            # With nobody left the rungs behind are decided on at once, with no decision.
            break
    keys = {"least": least, "eta": eta}
    return history("halving", keys, configurations, replications, epochs, events), expected, None


def median_history(rng, replications, draw, decide, finish, most=(12, 7)):
    """Configurations a few at a time; `decide(configuration, means, epochs)` says whether one is stopped after its last value,
    `finish(configuration, means)` is told of those that were trained to the end."""
    configurations, every = rng.randint(3, most[0]), rng.choice([1, 1, 2, 3])
    steps = rng.randint(2, most[1])
    epochs = every * steps + 1
    least, finished, workers = rng.randint(1, epochs - 1), rng.choice([1, 2, 3, 3]), rng.randint(1, 4)
    events, expected, waiting, running = [], [], list(range(configurations)), {}
    while waiting or running:
        if waiting and len(running) < workers:
            running[waiting.pop(0)] = ([], {})
        configuration = rng.choice(list(running))
        means, own = running[configuration]
        rung = len(means)
        replication = rng.choice([one for one in range(replications) if one not in own])
        score = draw()
        if rung == steps and score is None:
            score = 0.0
        own[replication] = score
        events.append([configuration, replication, rung, score])
        if len(own) < replications:
            expected.append([])
        elif rung == steps:
            finish(configuration, means)
            del running[configuration]
            expected.append([])
        else:
            means.append(mean([own[one] for one in range(replications)]))
            own.clear()
            stops = decide(configuration, means, every * (rung + 1), least, finished)
            expected.append([[configuration, "stop", rung] if stops else [configuration, "go_on", rung + 1]])
            if stops:
                del running[configuration]
    keys = {"least": least, "every": every, "finished": finished}
    return history("median", keys, configurations, replications, epochs, events), expected


def median_plain(rng):
    replications, complete = rng.choice([1, 1, 2, 3]), []

    def decide(_, means, epochs, least, finished):
        if means[-1] is None:
            return True
        if epochs < least or len(complete) < finished:
            return False
        return plain_median(means, [other[: len(means)] for other in complete])

    finish = lambda _, means: complete.append(list(means))
    return *median_history(rng, replications, values(rng), decide, finish), None


# The classes of other libraries.


class Kept:
    """A study as a pruner of Optuna's sees it: a list of trials, and a storage that notes what it says of one."""

    def __init__(self):
        import optuna

        self.optuna, self.trials, self.noted = optuna, {}, []
        self.direction = optuna.study.StudyDirection.MAXIMIZE
        self._storage = self

    def set_trial_system_attr(self, number, key, value):
        self.noted.append((number, key, value))

    def get_trials(self, deepcopy=True, states=None):
        return [trial for trial in self.trials.values() if states is None or trial.state in states]

    def report(self, number, step, value):
        trial = self.trials.get(number)
        if trial is None:
            running = self.optuna.trial.TrialState.RUNNING
            trial = self.optuna.trial.create_trial(state=running, intermediate_values={})
            trial.number = trial._trial_id = number
            self.trials[number] = trial
        trial.intermediate_values[step] = value
        return trial

    def prune(self, pruner, number, step, value):
        """What the pruner says when a trial reports; what it notes is there for the next call, as in a real storage."""
        stops = pruner.prune(self, self.report(number, step, value))
        for number, key, value in self.noted:
            self.trials[number].system_attrs[key] = value
        self.noted.clear()
        return stops


def asha_at_once(rng, new_rule):
    """An asynchronous history whose decisions are those of `new_rule`: a function of configuration, rung and value that says
    whether it goes on, or None where it is to be left out. Checked by `at_once`."""
    configurations, _, eta, least, epochs, rungs = shape(rng, 8)
    goes_on = new_rule(eta, least, rungs)
    draw, workers = values(rng, failures=False, ties=False), rng.randint(1, 8)
    # All begin; after that a question is answered by promotions alone, and after an arrival at most one is new.
    events, verdicts = ["ask"] * configurations, []
    waiting, running = list(range(configurations)), []
    while waiting or running:
        while waiting and len(running) < workers:
            running.append((waiting.pop(0), 0))
        configuration, rung = running.pop(rng.randrange(len(running)))
        if rung == len(rungs):
            continue
        score = draw()
        verdict = goes_on(configuration, rung, score)
        events += [[configuration, 0, rung, score], "ask", "ask"]
        verdicts.append((configuration, rung, verdict))
        if verdict:
            running.append((configuration, rung + 1))
    keys = {"least": least, "eta": eta}
    return history("asha", keys, configurations, 1, epochs, events), verdicts, at_once


def at_once(told, answers, verdicts):
    """Whether a configuration went on right after its arrival. Counts late promotions and what was left out."""
    counts = {"late promotions": 0, "left out": 0}
    after = answers[told["configurations"] :]
    for place, (configuration, rung, verdict) in enumerate(verdicts):
        first, second = after[3 * place + 1 : 3 * place + 3]
        if second:
            return None
        promoted = first
        went_on = [configuration, "go_on", rung + 1] in promoted
        counts["late promotions"] += sum(one != configuration for one, *_ in promoted)
        if verdict is BETWEEN:
            counts["left out"] += 1
            if went_on:
                return None
        elif went_on != verdict:
            return None
    return counts


class Between:
    """A verdict "goes on" of a rule that differs here by definition."""

    def __bool__(self):
        return True


BETWEEN = Between()


def asha_optuna(rng):
    def new_rule(eta, least, rungs):
        from optuna.pruners import SuccessiveHalvingPruner

        pruner = SuccessiveHalvingPruner(min_resource=least, reduction_factor=eta, bootstrap_count=eta - 1)
        study = Kept()
        return lambda configuration, rung, score: not study.prune(pruner, configuration, rungs[rung], score)

    return asha_at_once(rng, new_rule)


def asha_syne_tune(rng):
    def new_rule(eta, least, rungs):
        from syne_tune.optimizer.schedulers.asha import Bracket

        bracket = Bracket(min_t=least, max_t=rungs[-1] * eta, reduction_factor=eta, s=0)
        arrived = [[] for _ in rungs]

        def goes_on(configuration, rung, score):
            # Of errors the lower is the better.
            goes_on = bracket.on_result(configuration, rungs[rung], {"error": -score}) == "CONTINUE"
            rank = sum(other > score for other in arrived[rung])
            arrived[rung].append(score)
            return BETWEEN if goes_on and rank == len(arrived[rung]) // eta else goes_on

        return goes_on

    return asha_at_once(rng, new_rule)


def halving_optuna(rng):
    from optuna.pruners import SuccessiveHalvingPruner

    configurations, replications, eta, least, epochs, rungs = shape(rng, 6)
    draw = values(rng, failures=False, ties=False)
    pruner = SuccessiveHalvingPruner(min_resource=least, reduction_factor=eta)
    events, expected, standing, study = [], [], list(range(configurations)), Kept()
    for rung, step in enumerate(rungs):
        scores = {one: [draw() for _ in range(replications)] for one in standing}
        arrivals = [(one, replication) for one in standing for replication in range(replications)]
        rng.shuffle(arrivals)
        events += [[*arrival, rung, scores[arrival[0]][arrival[1]]] for arrival in arrivals]
        key, means = f"completed_rung_{rung}", {one: mean(scores[one]) for one in standing}
        for one, value in means.items():
            study.report(one, step, value).system_attrs[key] = value
        best = []
        for one, value in means.items():
            del study.trials[one].system_attrs[key]
            if not study.prune(pruner, one, step, value):
                best.append(one)
        verdicts = [[one, "go_on", rung + 1] if one in best else [one, "stop", rung] for one in standing]
        expected += [[]] * (len(arrivals) - 1) + [verdicts]
        standing = best
    keys = {"least": least, "eta": eta}
    return history("halving", keys, configurations, replications, epochs, events), expected, None


def median_optuna(rng):
    from optuna.pruners import MedianPruner
    from optuna.trial import TrialState

    study, draw = Kept(), values(rng, failures=False, ties=False)

    def decide(configuration, means, epochs, least, finished):
        pruner = MedianPruner(n_startup_trials=finished, n_warmup_steps=least)
        stops = study.prune(pruner, configuration, epochs, means[-1])
        if stops:
            study.trials[configuration].state = TrialState.PRUNED
        return stops

    def finish(configuration, means):
        trial = study.trials[configuration]
        trial.state = TrialState.COMPLETE
        for place, step in enumerate(sorted(trial.intermediate_values)):
            trial.intermediate_values[step] = mean(means[: place + 1])

    return *median_history(rng, rng.choice([1, 1, 2]), draw, decide, finish, (6, 4)), None


PLAIN = {"asha": asha_plain, "halving": halving_plain, "median": median_plain}
LIBRARIES = {
    "asha, Optuna": asha_optuna,
    "asha, Syne Tune": asha_syne_tune,
    "halving, Optuna": halving_optuna,
    "median, Optuna": median_optuna,
}


def compare(program, name, make, histories, seed):
    """Prints how many histories were told, how many answers given, and on how many histories they are not the reference's."""
    rng, began = random.Random(f"{name} {seed}"), time.monotonic()
    answered, unequal, counts = 0, 0, {}
    for first in range(0, histories, BATCH):
        made = [make(rng) for _ in range(min(BATCH, histories - first))]
        lines = "".join(json.dumps(told) + "\n" for told, _, _ in made)
        ended = subprocess.run([program], input=lines, stdout=subprocess.PIPE, text=True, check=True)
        for (told, expected, check), line in zip(made, ended.stdout.splitlines(), strict=True):
            answers = json.loads(line)
            answered += len(answers) if check is None else len(expected)
            found = check(told, answers, expected) if check else {} if answers == expected else None
            if found is None:
                unequal += 1
                if unequal == 1:
                    print("differs:", json.dumps(told), json.dumps(answers), expected, sep="\n", file=sys.stderr)
            for what, count in (found or {}).items():
                counts[what] = counts.get(what, 0) + count
    said = "".join(f", {count:,} {what}" for what, count in counts.items())
    seconds = time.monotonic() - began
    print(f"{name:<18}{histories:>9,} histories{answered:>11,} answers{unequal:>4} differ{said} ({seconds:.0f} s)", flush=True)
    return unequal


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path, help="the example `decisions` of efflux-run")
    parser.add_argument("--histories", type=int, default=100_000)
    parser.add_argument("--seed", default="0")
    parser.add_argument("--plain", action="store_true", help="without Optuna and Syne Tune")
    parser.add_argument("--only", nargs="+", choices=[*PLAIN, *LIBRARIES], help="these comparisons alone")
    arguments = parser.parse_args()
    program = arguments.program.resolve()
    # Options that Optuna calls experimental.
    warnings.simplefilter("ignore")
    rules = PLAIN if arguments.plain else PLAIN | LIBRARIES
    rules = {name: make for name, make in rules.items() if not arguments.only or name in arguments.only}
    unequal = [compare(program, name, make, arguments.histories, arguments.seed) for name, make in rules.items()]
    sys.exit(any(unequal))


if __name__ == "__main__":
    main()
