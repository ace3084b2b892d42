"""How a sweep of many networks on many nodes goes, from costs that were measured on one machine.

    simulate.py [--networks 10000] [--nodes 100] [--cores 1] [--seconds 2.0] [--operations 727] …

Events by the second: parts are started one after the other by the engine's controller, each makes its networks in the order of its
share (longest first), and every network asks the file server for its operations. The server answers so many a second; what is asked
for beyond that waits. Costs of networks are drawn once, log-normal about their mean, and known to the plan up to a factor (`--error`).
Nodes die at random and lose the network in work; the engine starts their part again after `--requeue` seconds.

Python's standard library alone.
"""

import argparse
import heapq
import random


def shares(costs, parts):
    """As engine/part.rs: the costliest to the part with least to do."""
    loads = [(0.0, p) for p in range(parts)]
    found = [[] for _ in range(parts)]
    for case in sorted(range(len(costs)), key=lambda i: (-costs[i], i)):
        load, part = heapq.heappop(loads)
        found[part].append(case)
        heapq.heappush(loads, (load + costs[case], part))
    return found


class Server:
    """A file server: a queue of operations, answered at a rate."""

    def __init__(self, rate):
        self.rate, self.free, self.served, self.by_second = rate, 0.0, 0, {}

    def ask(self, now, operations):
        """When the last of these is answered."""
        self.free = max(self.free, now) + operations / self.rate
        self.served += operations
        second = int(now)
        self.by_second[second] = self.by_second.get(second, 0) + operations
        return self.free


def simulate(a, parts, seed=1):
    draw = random.Random(seed)
    true = [a.seconds * draw.lognormvariate(-0.5 * a.spread**2, a.spread) for _ in range(a.networks)]
    known = [t * draw.lognormvariate(0, a.error) for t in true]
    share = shares(known, parts)
    server = Server(a.rate)
    slots = a.nodes * a.cores
    waiting, events, controller = list(range(parts - 1, -1, -1)), [], 0.0
    done, lost, started, end = [0] * parts, 0, 0, 0.0
    # Deaths of nodes: a slot at a time, so many a thousand node-hours.
    death = a.deaths / 3600 / 1000 / a.cores

    def start(part, now):
        nonlocal controller, started
        controller = max(controller, now) + a.start
        started += 1
        heapq.heappush(events, (controller + a.begin, part))

    for _ in range(min(slots, parts)):
        start(waiting.pop(), 0.0)
    while events:
        now, part = heapq.heappop(events)
        if done[part] == len(share[part]):
            end = max(end, now)
            if waiting:
                start(waiting.pop(), now)
            continue
        cost = true[share[part][done[part]]]
        if draw.random() < death * cost:
            lost += 1
            controller = max(controller, now)
            heapq.heappush(events, (now + a.requeue + a.begin, part))
            continue
        # Computing and asking go hand in hand: a network ends when both have.
        answered = server.ask(now, a.operations)
        done[part] += 1
        # Each is waited for, also where the server has nothing else to do.
        heapq.heappush(events, (max(now + cost + a.operations * a.latency, answered), part))
    gathered = end + a.networks * a.gather
    ideal = sum(true) / slots
    seconds = max(int(end), 1)
    return {
        "parts": parts,
        "starts": started,
        "ideal": ideal,
        "makespan": end,
        "ratio": end / ideal,
        "operations": server.served / seconds,
        "peak": max(server.by_second.values()),
        "lost": lost,
        "page": gathered,
    }


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    number = lambda name, default, help: p.add_argument(f"--{name}", type=type(default), default=default, help=f"{help} [{default}]")
    number("networks", 10000, "networks")
    number("nodes", 100, "nodes")
    number("cores", 1, "cores of a node that make networks")
    number("seconds", 2.0, "mean time of a network, s")
    number("spread", 0.5, "standard deviation of its logarithm")
    number("error", 0.2, "standard deviation of the logarithm of what the plan has wrong")
    number("start", 0.1, "time of the controller to start a task, s, one after the other")
    number("begin", 3.0, "time of a task until its first network, s")
    number("operations", 727, "file operations of a network")
    number("latency", 0.0003, "time of one of them, s")
    number("rate", 20000.0, "file operations that the server answers a second")
    number("deaths", 1.0, "deaths of a node in 1,000 hours")
    number("requeue", 140.0, "time until a dead node's part runs again, s")
    number("gather", 0.01, "time of gathering, s a network")
    number("seeds", 5, "draws")
    p.add_argument("--parts", type=int, nargs="*", help="parts to try")
    a = p.parse_args()
    slots = a.nodes * a.cores
    print(f"{a.networks} networks of {a.seconds} s on {slots} cores, {a.operations} file operations each, server {a.rate:.0f} a second")
    print(f"(a file operation takes {a.latency * 1e3:.1f} ms; {a.deaths} deaths of a node in 1,000 hours; {a.seeds} draws)")
    print()
    print("| parts | a part, s | makespan, s (least to most of draws) | of the ideal | operations/s | most in one second | page, s |")
    print("|---|---|---|---|---|---|---|")
    for parts in a.parts or [slots, 2 * slots, 5 * slots, 10 * slots, a.networks]:
        runs = [simulate(a, parts, seed) for seed in range(1, a.seeds + 1)]
        middle = lambda key: sorted(r[key] for r in runs)[len(runs) // 2]
        least, most = min(r["makespan"] for r in runs), max(r["makespan"] for r in runs)
        print(
            f"| {parts} | {a.networks * a.seconds / parts:.0f} | {middle('makespan'):.0f} ({least:.0f}–{most:.0f}) | "
            f"{middle('ratio'):.2f} | {middle('operations'):.0f} | {middle('peak'):.0f} | {middle('page'):.0f} |"
        )


main()
